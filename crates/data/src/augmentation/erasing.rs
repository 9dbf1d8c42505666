//! A part of an image hidden.

use super::draws::Draws;
use super::{ordered, range};
use crate::fit::round;
use serde::{Deserialize, Serialize};

/// Fills a random rectangle of the normalised image with 0, the mean (Zhong et al. 2017, *Random Erasing*).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Erasing {
    /// How often, from 0 to 1.
    pub probability: f64,
    /// Least and greatest share of the image's area.
    pub scale: [f64; 2],
    /// Least and greatest ratio of height to width; its logarithm is drawn evenly.
    pub ratio: [f64; 2],
}

impl Default for Erasing {
    /// Every other image, 2 % to a third of its area, 3:10 to 33:10.
    fn default() -> Self {
        Self { probability: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3] }
    }
}

impl Erasing {
    pub(super) fn check(&self) -> Result<(), String> {
        range("a probability", self.probability, [0.0, 1.0])?;
        ordered("scales", self.scale)?;
        ordered("ratios", self.ratio)?;
        range("a scale", self.scale[0], [0.0, 1.0])?;
        range("a scale", self.scale[1], [0.0, 1.0])?;
        range("a ratio", self.ratio[0], [1e-3, 1e3])?;
        range("a ratio", self.ratio[1], [1e-3, 1e3])
    }

    /// Erases in one prepared image of `size` (height, width), or, where ten rectangles were too large, does not.
    pub(super) fn apply(&self, image: &mut [f32], [height, width]: [usize; 2], draws: &mut Draws) {
        if !draws.chance(self.probability) {
            return;
        }
        for _ in 0..10 {
            let area = (height * width) as f64 * draws.between(self.scale);
            let ratio = draws.between(self.ratio.map(f64::ln)).exp();
            let [tall, wide] = [round((area * ratio).sqrt()), round((area / ratio).sqrt())];
            if tall < height && wide < width {
                let (top, left) = (draws.below(height - tall + 1), draws.below(width - wide + 1));
                for plane in image.chunks_exact_mut(height * width) {
                    for line in plane.chunks_exact_mut(width).skip(top).take(tall) {
                        line[left..left + wide].fill(0.0);
                    }
                }
                return;
            }
        }
    }
}
