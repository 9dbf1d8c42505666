//! The bottleneck unit: 1×1, 3×3, 1×1.

use crate::shortcut::Shortcut;
use crate::stage::UnitPosition;
use cnn_core::definition::*;

/// What the bottlenecks of a network have in common. The default is ResNet-50's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// Channels of the 3×3 convolution for one of the stage's width.
    pub widening: usize,
    /// Groups of the 3×3 convolution: the cardinality of ResNeXt.
    pub groups: usize,
    /// Where the stride is.
    pub strided: Strided,
}

/// The convolution of a bottleneck that has the unit's stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strided {
    /// The 3×3: torchvision's, often called v1.5.
    Spatial,
    /// The first 1×1: the paper's.
    Reduction,
}

impl Default for Bottleneck {
    fn default() -> Self {
        Self { widening: 1, groups: 1, strided: Strided::Spatial }
    }
}

/// `ReLU(x + F(x))` where `F` is 1×1, 3×3 and 1×1 convolutions with batch normalisation, the last one to four times the
/// stage's width (He et al. 2015, figure 5, right). The first of a stage projects.
pub fn bottleneck(at: UnitPosition, numbers: Bottleneck) -> Chain {
    let inner = numbers.widening.saturating_mul(at.width);
    let output = at.expanded();
    let (reduction, spatial) = match numbers.strided {
        Strided::Spatial => (1, at.stride),
        Strided::Reduction => (at.stride, 1),
    };
    let main = chain()
        .then("conv1", conv(1).out(inner).stride(reduction).no_bias())
        .then("bn1", batch_norm())
        .relu()
        .then("conv2", conv(3).out(inner).stride(spatial).pad(1).groups(numbers.groups).no_bias())
        .then("bn2", batch_norm())
        .relu()
        .then("conv3", conv(1).out(output.width).no_bias())
        .then("bn3", batch_norm());
    let shortcut = if at.first { Shortcut::Projection } else { Shortcut::Identity };
    shortcut.around(main, output).relu()
}
