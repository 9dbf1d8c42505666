//! Light and colours changed.

use super::draws::Draws;
use super::range;
use crate::{Picture, operations};
use serde::{Deserialize, Serialize};

/// Changes brightness, contrast, saturation and hue, in random order. On grey images saturation and hue do nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColourJitter {
    /// The factor of brightness lies this far from 1 at most, and not below 0.
    pub brightness: f64,
    /// The same of contrast.
    pub contrast: f64,
    /// The same of saturation.
    pub saturation: f64,
    /// The hue turns by this share of the circle at most, 0 to 0.5.
    pub hue: f64,
}

impl ColourJitter {
    pub(super) fn check(&self) -> Result<(), String> {
        range("a brightness", self.brightness, [0.0, 100.0])?;
        range("a contrast", self.contrast, [0.0, 100.0])?;
        range("a saturation", self.saturation, [0.0, 100.0])?;
        range("a hue", self.hue, [0.0, 0.5])
    }

    pub(super) fn apply(&self, picture: &mut Picture<'_>, draws: &mut Draws) {
        let mut order = [0, 1, 2, 3];
        draws.shuffle(&mut order);
        let mut factor = |most: f64| draws.between([(1.0 - most).max(0.0), 1.0 + most]);
        let [brightness, contrast, saturation] = [self.brightness, self.contrast, self.saturation].map(&mut factor);
        let hue = draws.around(self.hue);
        for change in order {
            match change {
                0 if self.brightness > 0.0 => operations::brightness(picture, brightness),
                1 if self.contrast > 0.0 => operations::contrast(picture, contrast),
                2 if self.saturation > 0.0 => operations::saturation(picture, saturation),
                3 if self.hue > 0.0 => operations::hue(picture, hue),
                _ => {}
            }
        }
    }
}
