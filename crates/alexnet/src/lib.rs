//! AlexNet: five convolutional and three fully connected layers, in the versions that are called by its name.
//!
//! | function | source |
//! | --- | --- |
//! | [`alexnet_paper`] | A. Krizhevsky, I. Sutskever, G. E. Hinton: *ImageNet Classification with Deep Convolutional Neural Networks*, 2012, <https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks> |
//! | [`alexnet_paper_pool_lrn`] | the same with pool and normalisation exchanged, as later descriptions of it have them |
//! | [`alexnet`] | torchvision's, after A. Krizhevsky: *One weird trick for parallelizing convolutional neural networks*, 2014, <https://arxiv.org/abs/1404.5997> |
//! | [`alexnet_d2l`] | A. Zhang, Z. C. Lipton, M. Li, A. J. Smola: *Dive into Deep Learning*, 2023, section 8.1, <https://d2l.ai/chapter_convolutional-modern/alexnet.html> |
//!
//! ```
//! use cnn_alexnet::alexnet;
//!
//! let network = alexnet(1000).at_usual_input()?;
//! assert_eq!(network.summary().parameters, 61_100_840);
//! # Ok::<(), cnn_alexnet::cnn_core::Error>(())
//! ```
//!
//! # Departures
//!
//! - The paper prints an input of 224×224; its maps of 55×55 need 227×227, which is what [`alexnet_paper`] takes. It
//!   counts 253,440 neurons in the first layer, where 96 maps of 55×55 have 290,400. All later counts agree.
//! - The paper runs its two halves on two GPUs that meet in the third convolution and in the fully connected layers.
//!   Here they are two groups of convolutions 2, 4 and 5, which computes the same.
//! - In the paper the response normalisation comes after the ReLU and before the pool (section 3.5); figures and texts
//!   about the network often put the pool first. Both are here.
//! - The single column of *One weird trick* has 64, 192, 384, 384, 256 channels. torchvision has 256 in the fourth
//!   convolution, no response normalisation, and pads the first convolution by 2 to have 55×55 from 224×224. Its
//!   adaptive pool to 6×6 changes nothing at 224×224 and lets other sizes in.
//! - The book has the widths of the paper in one column, no response normalisation, pads the first convolution by 1
//!   and ends its convolutions in 5×5 maps. It drops out after a hidden layer, the others before it.

mod papers;

pub use cnn_core;

use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};
use cnn_core::op::{Conv, Linear};
use papers::{ALEXNET, WEIRD_TRICK};

/// Every network of this crate, and where it is from.
pub const NETWORKS: Catalogue = &[
    Listing::new(&WEIRD_TRICK, 1000, alexnet)
        .note("torchvision's: 256 channels in the fourth convolution, no response normalisation"),
    Listing::new(&ALEXNET, 1000, alexnet_paper).note("figure 2 and section 3.5"),
    Listing::new(&ALEXNET, 1000, alexnet_paper_pool_lrn).note("pools before normalisations, as later texts have it"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, alexnet_d2l).note("section 8.1, after Krizhevsky et al. 2012"),
];

/// torchvision's AlexNet for 3×224×224: the single column of *One weird trick* with 256 channels in the fourth
/// convolution and without response normalisation. torchvision's names and initialisation.
pub fn alexnet(classes: usize) -> Architecture {
    let convolutions = [
        conv(11).out(64).stride(4).pad(2),
        conv(5).out(192).pad(2),
        conv(3).out(384).pad(1),
        conv(3).out(256).pad(1),
        conv(3).out(256).pad(1),
    ];
    chain()
        .then("features", features(convolutions, Reduction::Pool))
        .then("avgpool", adaptive_avg_pool(6))
        .flatten()
        .then("classifier", classifier(linear(4096), classes))
        .named("alexnet", [3, 224, 224])
}

/// The network of the 2012 paper, figure 2 and section 3.5, for 3×227×227, with the initialisation of section 5.
///
/// Its names are those of torchvision's [`alexnet`], with the normalisations counted.
pub fn alexnet_paper(classes: usize) -> Architecture {
    two_columns(Reduction::NormaliseThenPool, classes).named("alexnet_paper", [3, 227, 227]).initialised(PAPER)
}

/// [`alexnet_paper`] with each normalisation after the pool: convolution, ReLU, pool, normalisation.
pub fn alexnet_paper_pool_lrn(classes: usize) -> Architecture {
    two_columns(Reduction::PoolThenNormalise, classes).named("alexnet_paper_pool_lrn", [3, 227, 227]).initialised(PAPER)
}

/// The book's AlexNet, section 8.1, for Fashion-MNIST at 1×224×224. The names are the book's `Sequential` indices.
pub fn alexnet_d2l(classes: usize) -> Architecture {
    let convolutions = [
        conv(11).out(96).stride(4).pad(1),
        conv(5).out(256).pad(2),
        conv(3).out(384).pad(1),
        conv(3).out(384).pad(1),
        conv(3).out(256).pad(1),
    ];
    features(convolutions, Reduction::Pool)
        .flatten()
        .and(linear(4096))
        .relu()
        .dropout(0.5)
        .and(linear(4096))
        .relu()
        .dropout(0.5)
        .and(linear(classes))
        .named("alexnet_d2l", [1, 224, 224])
        .initialised(Scheme::XAVIER)
}

/// Section 5 of the 2012 paper: N(0, 0.01), and biases of 0 where they are not [`ONE`].
const PAPER: Scheme = Scheme {
    conv: Law::Normal(0.01),
    conv_bias: Law::Constant(0.0),
    linear: Law::Normal(0.01),
    linear_bias: Law::Constant(0.0),
};

/// Section 5 of the 2012 paper: the biases of convolutions 2, 4, 5 and of the hidden layers, which give their ReLUs
/// positive inputs from the start.
const ONE: Law = Law::Constant(1.0);

/// Figure 2 of the 2012 paper, its two columns as groups.
fn two_columns(reduction: Reduction, classes: usize) -> Chain {
    let convolutions = [
        conv(11).out(96).stride(4),
        conv(5).out(256).pad(2).groups(2).biases(ONE),
        conv(3).out(384).pad(1),
        conv(3).out(384).pad(1).groups(2).biases(ONE),
        conv(3).out(256).pad(1).groups(2).biases(ONE),
    ];
    chain()
        .then("features", features(convolutions, reduction))
        .flatten()
        .then("classifier", classifier(linear(4096).biases(ONE), classes))
}

/// What follows the first two convolutions and their ReLUs.
#[derive(Clone, Copy)]
enum Reduction {
    Pool,
    NormaliseThenPool,
    PoolThenNormalise,
}

impl Reduction {
    fn operations(self) -> Vec<Block> {
        match self {
            Self::Pool => vec![overlapping_pool().into()],
            Self::NormaliseThenPool => vec![lrn().into(), overlapping_pool().into()],
            Self::PoolThenNormalise => vec![overlapping_pool().into(), lrn().into()],
        }
    }
}

/// Section 3.4 of the 2012 paper.
fn overlapping_pool() -> MaxPool {
    max_pool(3).stride(2)
}

/// The five convolutional layers that all versions share.
fn features(convolutions: [Conv; 5], reduction: Reduction) -> Chain {
    let [conv1, conv2, conv3, conv4, conv5] = convolutions;
    chain()
        .numbered()
        .and(conv1)
        .relu()
        .and_all(reduction.operations())
        .and(conv2)
        .relu()
        .and_all(reduction.operations())
        .and(conv3)
        .relu()
        .and(conv4)
        .relu()
        .and(conv5)
        .relu()
        .and(overlapping_pool())
}

/// The three fully connected layers of the paper and of torchvision, both hidden ones alike.
fn classifier(hidden: Linear, classes: usize) -> Chain {
    chain().numbered().dropout(0.5).and(hidden.clone()).relu().dropout(0.5).and(hidden).relu().and(linear(classes))
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
