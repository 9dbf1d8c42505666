//! The pre-activation units: normalisation and ReLU before each convolution, nothing behind the sum.

use crate::stage::UnitPosition;
use cnn_core::definition::*;
use cnn_core::op::Conv;

/// How the parts of a pre-activation unit are labelled: libraries do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Names {
    /// `norm1` and `downsample.conv`: timm's, for ImageNet.
    Timm,
    /// `bn1` and `shortcut`: like those of the CIFAR networks with the activation behind the sum.
    Cifar,
}

impl Names {
    fn norm(self, number: usize) -> String {
        match self {
            Self::Timm => format!("norm{number}"),
            Self::Cifar => format!("bn{number}"),
        }
    }

    fn projection(self, projection: Conv) -> (&'static str, Block) {
        match self {
            Self::Timm => ("downsample", chain().then("conv", projection).into()),
            Self::Cifar => ("shortcut", projection.into()),
        }
    }
}

/// `x + F(x)` where `F` is two 3×3 convolutions, each behind its batch normalisation and ReLU (He et al. 2016,
/// figure 4e). Where there is a stride, a projection.
pub fn preact_basic(at: UnitPosition, names: Names) -> Chain {
    let convolutions = chain()
        .then("conv1", conv(3).out(at.width).stride(at.stride).pad(1).no_bias())
        .then(names.norm(2), batch_norm())
        .relu()
        .then("conv2", conv(3).out(at.width).pad(1).no_bias());
    if at.stride == 1 { beside_identity(convolutions, names) } else { beside_projection(convolutions, at, names) }
}

/// `x + F(x)` where `F` is 1×1, 3×3 and 1×1 convolutions, each behind its batch normalisation and ReLU, the last one to
/// four times the stage's width (He et al. 2016, figure 4e). The first of a stage projects.
pub fn preact_bottleneck(at: UnitPosition, names: Names) -> Chain {
    let output = at.expanded();
    let convolutions = chain()
        .then("conv1", conv(1).out(at.width).no_bias())
        .then(names.norm(2), batch_norm())
        .relu()
        .then("conv2", conv(3).out(at.width).stride(at.stride).pad(1).no_bias())
        .then(names.norm(3), batch_norm())
        .relu()
        .then("conv3", conv(1).out(output.width).no_bias());
    if at.first { beside_projection(convolutions, output, names) } else { beside_identity(convolutions, names) }
}

fn activation(names: Names) -> Chain {
    chain().then(names.norm(1), batch_norm()).relu()
}

fn beside_identity(convolutions: Chain, names: Names) -> Chain {
    chain().and(sum().branch(activation(names).and(convolutions)).branch(chain()))
}

/// The projection reads the activated input too. `at` has the unit's stride and for a width its output channels.
fn beside_projection(convolutions: Chain, at: UnitPosition, names: Names) -> Chain {
    let (label, projection) = names.projection(conv(1).out(at.width).stride(at.stride).no_bias());
    activation(names).and(sum().branch(convolutions).labelled(label, projection))
}
