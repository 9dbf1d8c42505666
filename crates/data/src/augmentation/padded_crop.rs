//! An image moved by a few pixels.

use super::draws::Draws;
use crate::Picture;
use serde::{Deserialize, Serialize};

/// Surrounds the image with black and cuts a piece of its own size anywhere out of that, as ResNet's paper trains on
/// CIFAR-10 (section 4.2, with 4 pixels).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaddedCrop {
    /// Black pixels on each side.
    pub padding: usize,
}

/// More cannot be meant, and would overflow sums of sizes.
const MOST: usize = 1 << 16;

/// Refuses a padding that cannot be meant.
pub(super) fn check_padding(padding: usize) -> Result<(), String> {
    match padding {
        0..=MOST => Ok(()),
        more => Err(format!("expected a padding of at most {MOST} pixels, found {more}")),
    }
}

impl PaddedCrop {
    pub(super) fn check(&self) -> Result<(), String> {
        check_padding(self.padding)
    }

    pub(super) fn apply(&self, picture: &mut Picture<'_>, draws: &mut Draws) {
        let [down, right] = [0; 2].map(|_| draws.below(2 * self.padding + 1));
        if [down, right] == [self.padding; 2] {
            return;
        }
        let [_, height, width] = picture.shape;
        let mut moved = vec![0; picture.pixels.len()];
        // Pixel (row, column) of the piece is (row + down − padding, column + right − padding) of the image.
        let rows = self.padding.saturating_sub(down)..(height + self.padding).saturating_sub(down).min(height);
        let columns = self.padding.saturating_sub(right)..(width + self.padding).saturating_sub(right).min(width);
        for (plane, moved) in picture.planes().zip(moved.chunks_exact_mut(height * width)) {
            for row in rows.clone().filter(|_| !columns.is_empty()) {
                let from = (row + down - self.padding) * width + columns.start + right - self.padding;
                let to = row * width;
                moved[to + columns.start..to + columns.end].copy_from_slice(&plane[from..from + columns.len()]);
            }
        }
        picture.pixels = moved.into();
    }
}
