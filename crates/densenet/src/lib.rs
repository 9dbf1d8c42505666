//! DenseNet: every layer of a block reads the maps of all layers before it.
//!
//! - G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger: *Densely Connected Convolutional Networks*, 2017,
//!   <https://arxiv.org/abs/1608.06993>: table 1 as [`densenet`], the networks of table 2 as [`densenet_cifar`].
//! - A. Zhang, Z. C. Lipton, M. Li, A. J. Smola: *Dive into Deep Learning*, 2023, section 8.7,
//!   <https://d2l.ai/chapter_convolutional-modern/densenet.html>: [`densenet_d2l`].
//!
//! ```
//! use cnn_densenet::{Depth, densenet};
//!
//! let network = densenet(Depth::D121, 1000).at([3, 224, 224])?;
//! assert_eq!(network.name(), "densenet121");
//! assert_eq!(network.summary().parameters, 7_978_856);
//! # Ok::<(), cnn_densenet::cnn_core::Error>(())
//! ```
//!
//! # Departures
//!
//! - Names and initialisation are torchvision's for every network but the book's: He's by fan-in for convolutions,
//!   torch's default for the classifier's weights, biases of 0.
//! - 161 layers with a growth of 48 are the authors' own release and torchvision's, not in the last version of the
//!   paper; 264 layers are in the paper and not in torchvision.
//! - By the paper's way of counting, the table's DenseNet-264 has 265 layers with weights.
//! - The paper's table 1 prints no normalisation behind the last block; the authors' code and torchvision have one,
//!   `norm5`, and a ReLU.
//! - The paper's dropout of 0.2 on CIFAR without augmentation is left out.
//! - The book's convolutions have biases, its layers no bottleneck. Initialisation is its Xavier.

mod cifar;
mod imagenet;
mod papers;

pub use cifar::{Cifar, Version, densenet_cifar};
pub use cnn_core;
pub use imagenet::{Depth, densenet, densenet_d2l, densenet121_small_stem};

use cnn_core::definition::{Catalogue, Chain, Listing, Paper, batch_norm, chain, linear};
use cnn_core::initialisation::{Law, Scheme};
use cnn_dense::{dense_block, transition};
use papers::DENSENET;

/// Every network of this crate, and where it is from.
pub const NETWORKS: Catalogue = &[
    Listing::new(&DENSENET, 1000, |classes| densenet(Depth::D121, classes)).note("table 1"),
    Listing::new(&DENSENET, 1000, |classes| densenet(Depth::D161, classes))
        .note("the authors' release and torchvision's, not in the last version of the paper"),
    Listing::new(&DENSENET, 1000, |classes| densenet(Depth::D169, classes)).note("table 1"),
    Listing::new(&DENSENET, 1000, |classes| densenet(Depth::D201, classes)).note("table 1"),
    Listing::new(&DENSENET, 1000, |classes| densenet(Depth::D264, classes)).note("table 1"),
    Listing::new(&DENSENET, 10, densenet121_small_stem)
        .note("not the paper's: torchvision's 121 layers behind a 3×3 stem"),
    Listing::new(&DENSENET, 10, |classes| densenet_cifar(Cifar::L40_K12, classes)).note("table 2"),
    Listing::new(&DENSENET, 10, |classes| densenet_cifar(Cifar::L100_K12, classes)).note("table 2"),
    Listing::new(&DENSENET, 10, |classes| densenet_cifar(Cifar::L100_K24, classes).renamed("densenet100_k24_cifar"))
        .note("table 2"),
    Listing::new(&DENSENET, 10, |classes| densenet_cifar(Cifar::BC_L100_K12, classes)).note("table 2"),
    Listing::new(&DENSENET, 10, |classes| densenet_cifar(Cifar::BC_L250_K24, classes)).note("table 2"),
    Listing::new(&DENSENET, 10, |classes| densenet_cifar(Cifar::BC_L190_K40, classes)).note("table 2"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, densenet_d2l).note("section 8.7, after Huang et al. 2017"),
];

/// What lies behind a stem: the numbers of table 1, and what ImageNet's and CIFAR's networks do not share.
struct Body<'a> {
    /// Channels of the stem.
    channels: usize,
    /// Channels of each layer, k.
    growth: usize,
    /// Layers of each block.
    blocks: &'a [usize],
    /// 1/θ: how many times fewer channels a transition has behind it than before it.
    compression: usize,
    /// One layer.
    layer: Chain,
}

/// The blocks behind `stem` with transitions between them, and the classifier.
fn network(stem: Chain, body: Body<'_>, classes: usize) -> Chain {
    let (mut features, mut channels) = (stem, body.channels);
    for (number, &layers) in (1..).zip(body.blocks) {
        features = features.then(format!("denseblock{number}"), dense_block(layers, body.layer.clone()));
        channels = channels.saturating_add(body.growth.saturating_mul(layers));
        if number < body.blocks.len() {
            channels /= body.compression;
            features = features.then(format!("transition{number}"), transition(channels));
        }
    }
    chain()
        .then("features", features.then("norm5", batch_norm()))
        .relu()
        .global_avg_pool()
        .then("classifier", linear(classes))
}

/// torchvision's.
const INITIALISATION: Scheme = Scheme::TORCH.conv(Law::KaimingFanIn).linear_bias(Law::Constant(0.0));

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
