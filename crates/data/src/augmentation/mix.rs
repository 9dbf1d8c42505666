//! Images of a batch mixed with each other.

use super::draws::Draws;
use crate::Error;
use cnn_figures::number;
use serde::{Deserialize, Serialize};

/// How the images of a batch are mixed with each other. Each batch is mixed one way; where both are given, a coin decides,
/// as in torchvision's training recipes. An image's partner is the one before it in the batch, the first's the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// Both images everywhere, in shares drawn from the beta distribution with this parameter, from 1e-6 to 1e6 (Zhang et
    /// al. 2018, *mixup: Beyond Empirical Risk Minimization*).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup: Option<f64>,
    /// A rectangle of the other image, whose area is drawn from the beta distribution with this parameter, from 1e-6 to
    /// 1e6 (Yun et al. 2019, *CutMix*).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutmix: Option<f64>,
}

/// What else is in the pictures of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// For each image the label of the one that was mixed in.
    pub labels: Vec<u32>,
    /// Share of the batch's own labels, 0 to 1: the loss is share · CE(labels) + (1 − share) · CE(mixed labels).
    pub share: f64,
}

/// A [`Mix`] drawn for one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Recipe {
    /// Every number, the image's own by this share.
    Everywhere { share: f64 },
    /// The rows and columns that are the other image's.
    Rectangle { rows: [usize; 2], columns: [usize; 2] },
}

impl Mix {
    /// The parameters of the beta distribution there are: at the one end an image is all its own or all the other's, at
    /// the other it is half of each.
    const SMALLEST: f64 = 1e-6;
    const LARGEST: f64 = 1e6;

    pub(super) fn check(&self) -> Result<(), Error> {
        for (step, alpha) in [("mixup", self.mixup), ("cutmix", self.cutmix)] {
            if let Some(alpha) = alpha.filter(|alpha| !(Self::SMALLEST..=Self::LARGEST).contains(alpha)) {
                let [low, high, found] = [Self::SMALLEST, Self::LARGEST, alpha].map(number);
                let problem =
                    format!("expected a parameter of the beta distribution from {low} to {high}, found {found}");
                return Err(Error::Augmentation { step: step.to_string(), problem });
            }
        }
        Ok(())
    }

    /// Draws what is done to a batch of images of `size` (height, width).
    pub(crate) fn draw(&self, size: [usize; 2], draws: &mut Draws) -> Option<Recipe> {
        match (self.mixup, self.cutmix) {
            (None, None) => None,
            (Some(alpha), None) => Some(everywhere(alpha, draws)),
            (None, Some(alpha)) => Some(rectangle(alpha, size, draws)),
            (Some(mixup), Some(cutmix)) => {
                Some(if draws.chance(0.5) { everywhere(mixup, draws) } else { rectangle(cutmix, size, draws) })
            }
        }
    }
}

fn everywhere(alpha: f64, draws: &mut Draws) -> Recipe {
    Recipe::Everywhere { share: draws.beta(alpha) }
}

/// Half the rectangle's sides are r · height and r · width with r = √(1 − share) / 2, cut off at the image's borders.
fn rectangle(alpha: f64, [height, width]: [usize; 2], draws: &mut Draws) -> Recipe {
    let half = 0.5 * (1.0 - draws.beta(alpha)).sqrt();
    let mut side = |length: usize| {
        let centre = draws.below(length);
        let reach = (half * length as f64) as usize;
        [centre.saturating_sub(reach), (centre + reach).min(length)]
    };
    let columns = side(width);
    Recipe::Rectangle { rows: side(height), columns }
}

impl Recipe {
    /// Mixes the prepared images of a batch, each of `shape` (channels, height, width), and tells the share that is
    /// each's own.
    pub(crate) fn apply(self, images: &mut [f32], shape: [usize; 3]) -> f64 {
        let [_, height, width] = shape;
        let size: usize = shape.iter().product();
        let Some(last) = images.len().checked_sub(size) else { return 1.0 };
        // From the last backwards, each still finds its partner as it was; the first's is the last, kept aside.
        let kept = images[last..].to_vec();
        for start in (0..=last).rev().step_by(size) {
            let (before, own) = images.split_at_mut(start);
            let other = if start == 0 { &kept } else { &before[start - size..] };
            match self {
                Self::Everywhere { share } => {
                    for (own, other) in own[..size].iter_mut().zip(other) {
                        *own = (share * f64::from(*own) + (1.0 - share) * f64::from(*other)) as f32;
                    }
                }
                Self::Rectangle { rows, columns } => {
                    let lines = own[..size].chunks_exact_mut(width).zip(other.chunks_exact(width)).enumerate();
                    for (_, (own, other)) in lines.filter(|(line, _)| (rows[0]..rows[1]).contains(&(line % height))) {
                        own[columns[0]..columns[1]].copy_from_slice(&other[columns[0]..columns[1]]);
                    }
                }
            }
        }
        match self {
            Self::Everywhere { share } => share,
            Self::Rectangle { rows, columns } => {
                1.0 - ((rows[1] - rows[0]) * (columns[1] - columns[0])) as f64 / (height * width) as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augmentation::Pass;

    #[test]
    fn a_parameter_that_cannot_be_meant_is_refused() {
        for (alpha, said) in [(0.0, "0"), (1e308, "1e308"), (1e-300, "1e-300"), (f64::NAN, "NaN")] {
            let problem =
                format!("expected a parameter of the beta distribution from 0.000001 to 1000000, found {said}");
            let mixup = Mix { mixup: Some(alpha), cutmix: None }.check().unwrap_err().to_string();
            assert_eq!(mixup, format!("augmentation mixup: {problem}"));
            let cutmix = Mix { mixup: None, cutmix: Some(alpha) }.check().unwrap_err().to_string();
            assert_eq!(cutmix, format!("augmentation cutmix: {problem}"));
        }
    }

    #[test]
    fn every_parameter_there_is_gives_a_share() {
        for alpha in [Mix::SMALLEST, 1e-3, 1.0, 1e3, Mix::LARGEST] {
            assert!(Mix { mixup: Some(alpha), cutmix: Some(alpha) }.check().is_ok());
            let mut draws = Pass { seed: 7, epoch: 0 }.batch(0);
            let shares: Vec<f64> = (0..1000).map(|_| draws.beta(alpha)).collect();
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{alpha}: {shares:?}");
        }
    }
}
