//! The steps there are.

use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::{Flip, PaddedCrop};
use crate::Picture;

/// One change to the bytes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Moves the image by a few pixels.
    PaddedCrop(PaddedCrop),
    /// Exchanges left and right.
    Flip(Flip),
}

impl Step {
    /// Its name in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PaddedCrop(_) => "padded-crop",
            Self::Flip(_) => "flip",
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::PaddedCrop(crop) => crop.check(),
            Self::Flip(flip) => flip.check(),
        }
    }

    pub(super) fn apply<'a>(&self, picture: Picture<'a>, draws: &mut Draws) -> Picture<'a> {
        match self {
            Self::PaddedCrop(crop) => crop.apply(picture, draws),
            Self::Flip(flip) => flip.apply(picture, draws),
        }
    }
}
