//! VGG: small kernels, many layers, in five stages that each halve the map.
//!
//! - K. Simonyan, A. Zisserman: *Very Deep Convolutional Networks for Large-Scale Image Recognition*, 2015,
//!   <https://arxiv.org/abs/1409.1556>: all six columns of its table 1, as [`vgg`].
//! - A. Zhang, Z. C. Lipton, M. Li, A. J. Smola: *Dive into Deep Learning*, 2023, section 8.2,
//!   <https://d2l.ai/chapter_convolutional-modern/vgg.html>: [`vgg11_d2l`], [`vgg_small_d2l`], and [`vgg_d2l`] for any
//!   other list of blocks.
//! - K. Jordan: *94% on CIFAR-10 in 3.29 Seconds on a Single GPU*, 2024, <https://arxiv.org/abs/2404.00498>:
//!   [`vgg_whitened_cifar`].
//!
//! ```
//! use cnn_vgg::{Column, Norm, vgg};
//!
//! let network = vgg(Column::D, Norm::None, 1000).at([3, 224, 224])?;
//! assert_eq!(network.name(), "vgg16");
//! assert_eq!(network.summary().parameters, 138_357_544);
//! # Ok::<(), cnn_vgg::cnn_core::Error>(())
//! ```
//!
//! # Departures
//!
//! - Names and initialisation are torchvision's for every column. The paper starts from N(0, 0.01) and biases of 0, and
//!   the deep columns from the trained layers of A; torchvision has He's initialisation by fan-out for convolutions.
//! - torchvision's adaptive pool to 7×7 changes nothing at the paper's 224×224 and lets other sizes in.
//! - Batch normalisation ([`Norm::Batch`]) is torchvision's addition; its convolutions keep their biases. torchvision
//!   has neither column A-LRN nor column C.
//! - The book has one channel in, names by block, Xavier's initialisation, and no adaptive pool: its first linear layer
//!   is as wide as the image makes it.
//! - The network for CIFAR-10 after Jordan 2024 has ReLU where the source has GELU, and an ε of 10⁻⁵ in its batch
//!   normalisations, whose scales are tensors here; the recipe keeps them at one.

mod book;
mod papers;
mod table;
mod whitened;

pub use book::{ConvBlock, VGG_SMALL, VGG11, vgg_d2l, vgg_small_d2l, vgg11_d2l};
pub use cnn_core;
pub use table::Column;
pub use whitened::vgg_whitened_cifar;

use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};
use cnn_core::op::Conv;
use papers::{FAST_CIFAR, VGG};
use table::Layer;

/// Every network of this crate, and where it is from.
pub const NETWORKS: Catalogue = &[
    Listing::new(&VGG, 1000, |classes| vgg(Column::A, Norm::None, classes)).note("table 1, column A"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::A, Norm::Batch, classes))
        .note("table 1, column A; batch normalisation by torchvision"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::ALrn, Norm::None, classes)).note("table 1, column A-LRN"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::B, Norm::None, classes)).note("table 1, column B"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::B, Norm::Batch, classes))
        .note("table 1, column B; batch normalisation by torchvision"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::C, Norm::None, classes)).note("table 1, column C"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::D, Norm::None, classes)).note("table 1, column D"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::D, Norm::Batch, classes))
        .note("table 1, column D; batch normalisation by torchvision"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::E, Norm::None, classes)).note("table 1, column E"),
    Listing::new(&VGG, 1000, |classes| vgg(Column::E, Norm::Batch, classes))
        .note("table 1, column E; batch normalisation by torchvision"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, vgg11_d2l).note("section 8.2, after Simonyan and Zisserman 2015"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, vgg_small_d2l).note("section 8.2, a narrower network to train"),
    Listing::new(&FAST_CIFAR, 10, vgg_whitened_cifar).note("section 3.1, with ReLU for its GELU"),
];

/// What stands between a convolution and its ReLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Norm {
    /// Nothing, as in the paper.
    None,
    /// Batch normalisation (Ioffe and Szegedy 2015), as in torchvision's `_bn` networks.
    Batch,
}

/// A column of the paper's table 1 for 3×224×224, with torchvision's names and initialisation.
///
/// Columns A, B, D and E are torchvision's `vgg11`, `vgg13`, `vgg16` and `vgg19`, and its `_bn` networks with
/// [`Norm::Batch`].
pub fn vgg(column: Column, norm: Norm, classes: usize) -> Architecture {
    let features = column.stages().iter().fold(chain().numbered(), |before, layers| stage(before, layers, norm));
    let suffix = match norm {
        Norm::None => "",
        Norm::Batch => "_bn",
    };
    chain()
        .then("features", features)
        .then("avgpool", adaptive_avg_pool(7))
        .flatten()
        .then("classifier", classifier(chain().numbered(), classes))
        .named(format!("{}{suffix}", column.name()), [3, 224, 224])
        .initialised(TORCHVISION)
}

const TORCHVISION: Scheme = Scheme {
    conv: Law::KaimingFanOut,
    conv_bias: Law::Constant(0.0),
    linear: Law::Normal(0.01),
    linear_bias: Law::Constant(0.0),
};

/// Goes on after `before` with the layers between two pools of table 1, and with the second pool.
fn stage(before: Chain, layers: &[Layer], norm: Norm) -> Chain {
    let layers = layers.iter().fold(before, |chain, layer| match *layer {
        Layer::Conv3(channels) => convolution(chain, conv(3).out(channels).pad(1), norm),
        Layer::Conv1(channels) => convolution(chain, conv(1).out(channels), norm),
        Layer::Lrn => chain.and(lrn()),
    });
    layers.and(max_pool(2))
}

fn convolution(before: Chain, convolution: Conv, norm: Norm) -> Chain {
    match norm {
        Norm::None => before.and(convolution).relu(),
        Norm::Batch => before.and(convolution).and(batch_norm()).relu(),
    }
}

/// Goes on after `before` with the last rows of table 1. Dropout as in section 3.1, behind both hidden layers.
fn classifier(before: Chain, classes: usize) -> Chain {
    before.and(linear(4096)).relu().dropout(0.5).and(linear(4096)).relu().dropout(0.5).and(linear(classes))
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
