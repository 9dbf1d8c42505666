//! `stage`: a unit repeated at one size of the maps.

use crate::EXPANSION;
use cnn_core::definition::{Chain, chain};

/// A stage: one entry of table 1 in He et al. 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Channels of the 3×3 convolutions, before any widening.
    pub width: usize,
    /// Number of units.
    pub units: usize,
    /// Stride of the first unit; the others have 1.
    pub stride: usize,
}

/// Where a unit stands in its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitPosition {
    /// The stage's width.
    pub width: usize,
    /// The unit's stride.
    pub stride: usize,
    /// Whether it is the stage's first unit.
    pub first: bool,
}

impl UnitPosition {
    /// The same with the width that comes out of a bottleneck: four times the stage's. A width beyond counting is refused
    /// when the network is elaborated.
    pub(crate) fn expanded(self) -> Self {
        Self { width: self.width.saturating_mul(EXPANSION), ..self }
    }
}

/// The units of a stage one after the other, numbered from 0.
pub fn stage(stage: Stage, unit: impl Fn(UnitPosition) -> Chain) -> Chain {
    let place = |index| {
        let first = index == 0;
        UnitPosition { width: stage.width, stride: if first { stage.stride } else { 1 }, first }
    };
    chain().numbered().and_all((0..stage.units).map(|index| unit(place(index))))
}
