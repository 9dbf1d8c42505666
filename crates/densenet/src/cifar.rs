//! The networks for CIFAR's 32×32.

use crate::{Body, INITIALISATION, network};
use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_dense::{bottleneck_layer, layer};

/// A row of table 2, or any other of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cifar {
    /// Layers of each of the three blocks.
    pub layers: usize,
    /// Channels of each layer, k.
    pub growth: usize,
    /// With bottlenecks and compression or without.
    pub version: Version,
}

/// Whether a network has bottlenecks and compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Neither: `L = 3·layers + 4`.
    Basic,
    /// DenseNet-BC, both: `L = 6·layers + 4`.
    Bc,
}

impl Cifar {
    /// DenseNet (k = 12), L = 40.
    pub const L40_K12: Self = Self { layers: 12, growth: 12, version: Version::Basic };
    /// DenseNet (k = 12), L = 100.
    pub const L100_K12: Self = Self { layers: 32, growth: 12, version: Version::Basic };
    /// DenseNet (k = 24), L = 100.
    pub const L100_K24: Self = Self { layers: 32, growth: 24, version: Version::Basic };
    /// DenseNet-BC (k = 12), L = 100.
    pub const BC_L100_K12: Self = Self { layers: 16, growth: 12, version: Version::Bc };
    /// DenseNet-BC (k = 24), L = 250.
    pub const BC_L250_K24: Self = Self { layers: 41, growth: 24, version: Version::Bc };
    /// DenseNet-BC (k = 40), L = 190.
    pub const BC_L190_K40: Self = Self { layers: 31, growth: 40, version: Version::Bc };
}

/// Three blocks of equal length (section 3, implementation details): 16 channels at the start, with BC twice the growth.
///
/// The name tells the depth and the version, `densenet100bc_cifar`, not the growth.
pub fn densenet_cifar(numbers: Cifar, classes: usize) -> Architecture {
    let Cifar { layers, growth, version } = numbers;
    let blocks = &[layers; 3];
    let (depth, suffix, body) = match version {
        Version::Basic => (
            layers.saturating_mul(3).saturating_add(4),
            "",
            Body { channels: 16, growth, blocks, compression: 1, layer: layer(growth) },
        ),
        Version::Bc => {
            let layer = bottleneck_layer(growth);
            (
                layers.saturating_mul(6).saturating_add(4),
                "bc",
                Body { channels: growth.saturating_mul(2), growth, blocks, compression: 2, layer },
            )
        }
    };
    let stem = chain().then("conv0", conv(3).out(body.channels).pad(1).no_bias());
    network(stem, body, classes)
        .named(format!("densenet{depth}{suffix}_cifar"), [3, 32, 32])
        .initialised(INITIALISATION)
}
