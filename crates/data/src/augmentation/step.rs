//! The steps there are.

use super::draws::Draws;
use super::{
    AlternatingFlip, ColourJitter, Flip, Lighting, PaddedCrop, RandomAffine, RandomResizedCrop, ReflectedCrop,
    TrivialAugment,
};
use crate::Picture;
use serde::{Deserialize, Serialize};

/// One change to the bytes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// Moves the image by a few pixels.
    PaddedCrop(PaddedCrop),
    /// Moves the image by a few pixels, its border mirrored.
    ReflectedCrop(ReflectedCrop),
    /// Cuts out a random piece and stretches it to the size the network reads.
    RandomResizedCrop(RandomResizedCrop),
    /// Exchanges left and right.
    Flip(Flip),
    /// Exchanges left and right in every other epoch.
    AlternatingFlip(AlternatingFlip),
    /// Turns, moves, scales and shears.
    Affine(RandomAffine),
    /// Changes brightness, contrast, saturation and hue.
    ColourJitter(ColourJitter),
    /// Changes the colour of the light.
    Lighting(Lighting),
    /// One of fourteen operations of any strength.
    TrivialAugment(TrivialAugment),
}

impl Step {
    /// Its name in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PaddedCrop(_) => "padded-crop",
            Self::ReflectedCrop(_) => "reflected-crop",
            Self::RandomResizedCrop(_) => "random-resized-crop",
            Self::Flip(_) => "flip",
            Self::AlternatingFlip(_) => "alternating-flip",
            Self::Affine(_) => "affine",
            Self::ColourJitter(_) => "colour-jitter",
            Self::Lighting(_) => "lighting",
            Self::TrivialAugment(_) => "trivial-augment",
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::PaddedCrop(crop) => crop.check(),
            Self::ReflectedCrop(crop) => crop.check(),
            Self::RandomResizedCrop(crop) => crop.check(),
            Self::Flip(flip) => flip.check(),
            Self::Affine(affine) => affine.check(),
            Self::ColourJitter(jitter) => jitter.check(),
            Self::Lighting(lighting) => lighting.check(),
            Self::AlternatingFlip(_) | Self::TrivialAugment(_) => Ok(()),
        }
    }

    /// Changes the image; a piece that is stretched gets the height and width of `target`.
    pub(super) fn change(&self, picture: &mut Picture<'_>, target: [usize; 2], draws: &mut Draws) {
        match self {
            Self::PaddedCrop(crop) => crop.apply(picture, draws),
            Self::ReflectedCrop(crop) => crop.apply(picture, draws),
            Self::RandomResizedCrop(crop) => crop.apply(picture, target, draws),
            Self::Flip(flip) => flip.apply(picture, draws),
            Self::AlternatingFlip(flip) => flip.apply(picture, draws),
            Self::Affine(affine) => affine.apply(picture, draws),
            Self::ColourJitter(jitter) => jitter.apply(picture, draws),
            Self::Lighting(lighting) => lighting.apply(picture, draws),
            Self::TrivialAugment(trivial) => trivial.apply(picture, draws),
        }
    }
}
