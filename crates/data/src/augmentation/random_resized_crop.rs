//! A random piece of an image, stretched.

use super::draws::Draws;
use super::{ordered, range};
use crate::fit::round;
use crate::resample::{Resample, Window};
use crate::{Interpolation, Picture};
use serde::{Deserialize, Serialize};

/// Cuts out a random piece and stretches it to the size the network reads, as GoogLeNet was trained (Szegedy et al. 2014,
/// section 6). With a fit that frames or keeps images, the size is the image's own; a fit that would stretch has nothing
/// more to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// Least and greatest share of the image's area.
    pub scale: [f64; 2],
    /// Least and greatest ratio of width to height; its logarithm is drawn evenly.
    pub ratio: [f64; 2],
}

impl Default for RandomResizedCrop {
    /// 8 % to all of the area, 3:4 to 4:3.
    fn default() -> Self {
        Self { scale: [0.08, 1.0], ratio: [3.0 / 4.0, 4.0 / 3.0] }
    }
}

impl RandomResizedCrop {
    pub(super) fn check(&self) -> Result<(), String> {
        ordered("scales", self.scale)?;
        ordered("ratios", self.ratio)?;
        range("a scale", self.scale[0], [1e-6, 1.0])?;
        range("a scale", self.scale[1], [1e-6, 1.0])?;
        range("a ratio", self.ratio[0], [1e-3, 1e3])?;
        range("a ratio", self.ratio[1], [1e-3, 1e3])
    }

    pub(super) fn apply(&self, picture: &mut Picture<'_>, target: [usize; 2], draws: &mut Draws) {
        let piece = cut(picture, self.draw(picture.size(), draws));
        let [height, width] = target;
        let whole = Window { top: 0, left: 0, height, width };
        *picture = piece.resampled(&Resample::new(piece.size(), target, whole, Interpolation::Bilinear));
    }

    /// The piece: tried ten times, then the largest in the middle that keeps the ratios.
    pub(super) fn draw(&self, [height, width]: [usize; 2], draws: &mut Draws) -> Window {
        for _ in 0..10 {
            let area = (height * width) as f64 * draws.between(self.scale);
            let ratio = draws.between(self.ratio.map(f64::ln)).exp();
            let piece = [round((area / ratio).sqrt()), round((area * ratio).sqrt())];
            if (1..=height).contains(&piece[0]) && (1..=width).contains(&piece[1]) {
                let (top, left) = (draws.below(height - piece[0] + 1), draws.below(width - piece[1] + 1));
                return Window { top, left, height: piece[0], width: piece[1] };
            }
        }
        let ratio = (width as f64 / height as f64).clamp(self.ratio[0], self.ratio[1]);
        let piece = [round(width as f64 / ratio).clamp(1, height), round(height as f64 * ratio).clamp(1, width)];
        Window { top: (height - piece[0]) / 2, left: (width - piece[1]) / 2, height: piece[0], width: piece[1] }
    }
}

pub(super) fn cut(picture: &Picture<'_>, window: Window) -> Picture<'static> {
    let width = picture.shape[2];
    let Window { top, left, height, width: across } = window;
    let mut pixels = Vec::with_capacity(picture.shape[0] * height * across);
    for plane in picture.planes() {
        for row in top..top + height {
            pixels.extend_from_slice(&plane[row * width + left..row * width + left + across]);
        }
    }
    Picture { shape: [picture.shape[0], height, across], pixels: pixels.into() }
}
