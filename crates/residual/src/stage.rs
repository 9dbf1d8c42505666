//! `stage`: a unit repeated at one size of the maps.

use crate::shortcut::Shortcut;
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
pub struct Place {
    /// The stage's width.
    pub width: usize,
    /// The unit's stride.
    pub stride: usize,
    /// Whether it is the stage's first unit.
    pub first: bool,
}

impl Place {
    /// `bridge` for a unit with a stride, the identity for every other: the rule of [`basic`](crate::basic) units.
    pub fn identity_or(self, bridge: Shortcut) -> Shortcut {
        if self.stride == 1 { Shortcut::Identity } else { bridge }
    }
}

/// The units of a stage one after the other, numbered from 0.
pub fn stage(stage: Stage, unit: impl Fn(Place) -> Chain) -> Chain {
    let place = |index| {
        let first = index == 0;
        Place { width: stage.width, stride: if first { stage.stride } else { 1 }, first }
    };
    chain().numbered().and_all((0..stage.units).map(|index| unit(place(index))))
}
