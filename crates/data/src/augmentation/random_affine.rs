//! An image turned, moved, scaled and sheared.

use super::draws::Draws;
use super::{ordered, range};
use crate::{Picture, operations};
use serde::{Deserialize, Serialize};

/// Turns, moves, scales and shears the image about its middle; each new pixel is the nearest old one, or black.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomAffine {
    /// Degrees it turns at most, either way.
    pub angle: f64,
    /// Shares of its width and height that it moves at most, either way.
    pub translate: f64,
    /// Least and greatest enlargement.
    pub scale: [f64; 2],
    /// Degrees that vertical lines lean at most, either way.
    pub shear: f64,
}

impl Default for RandomAffine {
    /// Nothing changes.
    fn default() -> Self {
        Self { angle: 0.0, translate: 0.0, scale: [1.0, 1.0], shear: 0.0 }
    }
}

impl RandomAffine {
    pub(super) fn check(&self) -> Result<(), String> {
        range("an angle", self.angle, [0.0, 180.0])?;
        range("a translation", self.translate, [0.0, 1.0])?;
        ordered("scales", self.scale)?;
        range("a scale", self.scale[0], [1e-3, 1e3])?;
        range("a scale", self.scale[1], [1e-3, 1e3])?;
        range("a shear", self.shear, [0.0, 89.0])
    }

    pub(super) fn apply(&self, picture: &mut Picture<'_>, draws: &mut Draws) {
        let [height, width] = picture.size().map(|side| side as f64);
        let affine = operations::Affine {
            angle: draws.around(self.angle),
            shift: [width, height].map(|side| draws.around(self.translate * side).round_ties_even()),
            scale: draws.between(self.scale),
            shear: [draws.around(self.shear), 0.0],
            centre: None,
        };
        operations::warp(picture, &affine);
    }
}
