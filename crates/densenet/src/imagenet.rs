//! Table 1 of the paper, and the book's small version of it.

use crate::{Body, INITIALISATION, network};
use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::Scheme;
use cnn_dense::{bottleneck_layer, dense_block_d2l, transition_d2l};

/// A column of table 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Depth {
    /// 121 layers with weights.
    D121,
    /// 161 layers with weights and a growth of 48 for the others' 32.
    D161,
    /// 169 layers with weights.
    D169,
    /// 201 layers with weights.
    D201,
    /// 265 layers with weights, called 264.
    D264,
}

impl Depth {
    /// Layers with weights, growth, and layers of each block.
    fn column(self) -> (usize, usize, [usize; 4]) {
        match self {
            Self::D121 => (121, 32, [6, 12, 24, 16]),
            Self::D161 => (161, 48, [6, 12, 36, 24]),
            Self::D169 => (169, 32, [6, 12, 32, 32]),
            Self::D201 => (201, 32, [6, 12, 48, 32]),
            Self::D264 => (264, 32, [6, 12, 64, 48]),
        }
    }
}

/// A column of table 1 (DenseNet-BC) with torchvision's names and initialisation.
pub fn densenet(depth: Depth, classes: usize) -> Architecture {
    let (layers, growth, blocks) = depth.column();
    let stem = chain()
        .then("conv0", conv(7).out(2 * growth).stride(2).pad(3).no_bias())
        .then("norm0", batch_norm())
        .then("relu0", relu())
        .then("pool0", max_pool(3).stride(2).pad(1));
    network(stem, body(growth, &blocks), classes)
        .named(format!("densenet{layers}"), [3, 224, 224])
        .initialised(INITIALISATION)
}

/// What lies behind a stem of twice the growth.
fn body(growth: usize, blocks: &[usize]) -> Body<'_> {
    Body { channels: 2 * growth, growth, blocks, compression: 2, layer: bottleneck_layer(growth) }
}

/// [`densenet`] of 121 layers for images of some 32×32: its first convolution is 3×3 with stride 1, and the pool behind it
/// is gone. A usual change to torchvision's, of no paper; the paper's own networks for such images are
/// [`densenet_cifar`](crate::densenet_cifar)'s.
pub fn densenet121_small_stem(classes: usize) -> Architecture {
    let (_, growth, blocks) = Depth::D121.column();
    let stem = chain()
        .then("conv0", conv(3).out(2 * growth).pad(1).no_bias())
        .then("norm0", batch_norm())
        .then("relu0", relu());
    network(stem, body(growth, &blocks), classes)
        .named("densenet121_small_stem", [3, 32, 32])
        .initialised(INITIALISATION)
}

/// The book's DenseNet for Fashion-MNIST at 96×96 (section 8.7): four blocks of four layers, growth 32, named by its
/// indices in nested sequences.
pub fn densenet_d2l(classes: usize) -> Architecture {
    let stem = chain()
        .numbered()
        .and(conv(7).out(64).stride(2).pad(3))
        .and(batch_norm())
        .relu()
        .and(max_pool(3).stride(2).pad(1));
    let block = || dense_block_d2l(4, 32);
    chain()
        .numbered()
        .and(stem)
        .and(block())
        .and(transition_d2l(96))
        .and(block())
        .and(transition_d2l(112))
        .and(block())
        .and(transition_d2l(120))
        .and(block())
        .and(batch_norm())
        .relu()
        .global_avg_pool()
        .and(linear(classes))
        .named("densenet_d2l", [1, 96, 96])
        .initialised(Scheme::XAVIER)
}
