//! Left and right exchanged.

use super::draws::Draws;
use super::range;
use crate::Picture;
use serde::{Deserialize, Serialize};

/// Exchanges left and right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flip {
    /// How often, from 0 to 1.
    pub probability: f64,
}

impl Default for Flip {
    /// Every other image.
    fn default() -> Self {
        Self { probability: 0.5 }
    }
}

impl Flip {
    pub(super) fn check(&self) -> Result<(), String> {
        range("a probability", self.probability, [0.0, 1.0])
    }

    pub(super) fn apply(&self, picture: &mut Picture<'_>, draws: &mut Draws) {
        if draws.chance(self.probability) {
            mirror(picture);
        }
    }
}

/// Exchanges left and right in every other epoch, so that two epochs show each image both ways (Jordan 2024, section
/// 3.6). Which epochs those are is drawn for each image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternatingFlip {}

impl AlternatingFlip {
    pub(super) fn apply(self, picture: &mut Picture<'_>, draws: &mut Draws) {
        if draws.alternates() {
            mirror(picture);
        }
    }
}

fn mirror(picture: &mut Picture<'_>) {
    let width = picture.shape[2];
    picture.pixels.to_mut().chunks_exact_mut(width).for_each(<[u8]>::reverse);
}
