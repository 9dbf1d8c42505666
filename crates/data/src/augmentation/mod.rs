//! Augmentation: training images changed at random, so that a network sees each differently in every epoch.

mod draws;
mod flip;
mod mix;
mod padded_crop;
mod step;

pub(crate) use draws::Pass;
pub use flip::Flip;
pub use mix::{Mix, Mixed};
pub use padded_crop::PaddedCrop;
pub use step::Step;

use serde::{Deserialize, Serialize};

use crate::{Error, Picture};

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
        for step in &self.steps {
            step.check().map_err(|problem| Error::Augmentation { step: step.name().to_string(), problem })?;
        }
        self.mix.check()
    }

    pub(crate) fn apply<'a>(&self, picture: Picture<'a>, draws: &mut draws::Draws) -> Picture<'a> {
        self.steps.iter().fold(picture, |picture, step| step.apply(picture, draws))
    }
}

/// Refuses `value` outside of `low..=high`.
fn range(what: &str, value: f64, [low, high]: [f64; 2]) -> Result<(), String> {
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(format!("expected {what} from {low} to {high}, found {value}")),
    }
}
