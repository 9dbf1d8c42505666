//! The networks for CIFAR-10's 32×32 (He et al. 2015, section 4.2).

use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};
use cnn_residual::{Shortcut, Stage, UnitPosition, basic, stage};

/// A row of table 6 in He et al. 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cifar {
    /// 20 layers with weights.
    D20,
    /// 32 layers with weights.
    D32,
    /// 44 layers with weights.
    D44,
    /// 56 layers with weights.
    D56,
    /// 110 layers with weights.
    D110,
    /// 1202 layers with weights.
    D1202,
}

impl Cifar {
    /// Units in each of the three stages.
    fn n(self) -> usize {
        match self {
            Self::D20 => 3,
            Self::D32 => 5,
            Self::D44 => 7,
            Self::D56 => 9,
            Self::D110 => 18,
            Self::D1202 => 200,
        }
    }
}

/// The three stages of `n` units.
pub(crate) fn stages(n: usize) -> [Stage; 3] {
    [
        Stage { width: 16, units: n, stride: 1 },
        Stage { width: 32, units: n, stride: 2 },
        Stage { width: 64, units: n, stride: 2 },
    ]
}

/// He's initialisation by fan-in for every weight, as in the files these networks share their names with.
pub(crate) const INITIALISATION: Scheme = Scheme::TORCH.conv(Law::KaimingFanIn).linear(Law::KaimingFanIn);

/// The residual network of `6n + 2` layers, its shortcuts without parameters (option A). Tensors are named as in
/// <https://github.com/akamaster/pytorch_resnet_cifar10>, whose files fit.
pub fn resnet_cifar(depth: Cifar, classes: usize) -> Architecture {
    network("resnet", depth, |at| basic(at, at.identity_or(Shortcut::Zeros)), classes)
}

/// The plain network of `6n + 2` layers: [`resnet_cifar`] without its shortcuts, with the same tensors.
pub fn plain_cifar(depth: Cifar, classes: usize) -> Architecture {
    network("plain", depth, |at| basic(at, Shortcut::None), classes)
}

fn network(family: &str, depth: Cifar, unit: impl Fn(UnitPosition) -> Chain, classes: usize) -> Architecture {
    let [layer1, layer2, layer3] = stages(depth.n()).map(|numbers| stage(numbers, &unit));
    chain()
        .then("conv1", conv(3).out(16).pad(1).no_bias())
        .then("bn1", batch_norm())
        .relu()
        .then("layer1", layer1)
        .then("layer2", layer2)
        .then("layer3", layer3)
        .global_avg_pool()
        .then("linear", linear(classes))
        .named(format!("{family}{}_cifar", 6 * depth.n() + 2), [3, 32, 32])
        .initialised(INITIALISATION)
}
