//! Augmentation: training images changed at random, so that a network sees each differently in every epoch.

mod colour_jitter;
mod draws;
mod erasing;
mod flip;
#[cfg(test)]
mod goldens;
mod lighting;
mod mix;
mod padded_crop;
mod random_affine;
mod random_resized_crop;
mod reflected_crop;
mod step;
mod text;
mod transform;
mod trivial_augment;

pub use colour_jitter::ColourJitter;
pub use draws::Draws;
pub(crate) use draws::Pass;
pub use erasing::Erasing;
pub use flip::{AlternatingFlip, Flip};
pub use lighting::Lighting;
pub use mix::{Mix, Mixed};
pub use padded_crop::PaddedCrop;
pub use random_affine::RandomAffine;
pub use random_resized_crop::RandomResizedCrop;
pub use reflected_crop::ReflectedCrop;
pub use step::Step;
pub use transform::Transform;
pub use trivial_augment::TrivialAugment;

use crate::{Error, Picture};
use cnn_figures::number;
use serde::{Deserialize, Serialize};

/// How training images are changed. The default changes nothing.
///
/// Every draw is decided by the run's seed, the epoch and the image's index (of what mixes a batch, the batch's number),
/// and so never by threads. In a TOML recipe:
///
/// ```toml
/// [augmentation]
/// steps = [ { padded-crop = { padding = 4 } }, { flip = { probability = 0.5 } } ]
/// mix = { mixup = 0.2, cutmix = 1.0 }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Augmentation {
    /// What is done to the bytes of an image, in this order, before it is fitted and normalised.
    pub steps: Vec<Step>,
    /// What is hidden of the normalised image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasing: Option<Erasing>,
    /// What is mixed into the images of a batch.
    pub mix: Mix,
}

impl Augmentation {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what cannot be.
    ///
    /// # Errors
    /// [`Error::Augmentation`] with the step and what is wrong with it.
    pub fn check(&self) -> Result<(), Error> {
        let named = |step: &str, problem| Error::Augmentation { step: step.to_string(), problem };
        for step in &self.steps {
            step.check().map_err(|problem| named(step.name(), problem))?;
        }
        if let Some(erasing) = &self.erasing {
            erasing.check().map_err(|problem| named("erasing", problem))?;
        }
        self.mix.check()
    }

    /// Whether a step brings images to the size the network reads, so that no fit has to.
    pub(crate) fn resizes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::RandomResizedCrop(_)))
    }

    /// Takes the steps; a piece that is stretched gets the height and width of `target`.
    pub(crate) fn change(&self, picture: &mut Picture<'_>, target: [usize; 2], draws: &mut Draws) {
        self.steps.iter().for_each(|step| step.change(picture, target, draws));
    }

    /// Hides a part of a prepared image of `size` (height, width), if anything.
    pub(crate) fn erase(&self, image: &mut [f32], size: [usize; 2], draws: &mut Draws) {
        if let Some(erasing) = &self.erasing {
            erasing.apply(image, size, draws);
        }
    }
}

/// Refuses two bounds that are not in order.
fn ordered(what: &str, [low, high]: [f64; 2]) -> Result<(), String> {
    match low <= high {
        true => Ok(()),
        false => Err(format!("expected {what} in ascending order, found {} and {}", number(low), number(high))),
    }
}

/// Refuses `value` outside of `low..=high`.
fn range(what: &str, value: f64, [low, high]: [f64; 2]) -> Result<(), String> {
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(format!("expected {what} from {low} to {high}, found {}", number(value))),
    }
}
