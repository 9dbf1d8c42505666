//! An image moved by a few pixels, its border mirrored.

use super::draws::Draws;
use super::padded_crop::check_padding;
use crate::Picture;
use serde::{Deserialize, Serialize};

/// Moves the image by up to `padding` pixels down, up, right and left. What comes in over the border is the image's own
/// mirror, the border row or column itself not repeated (as torch's `reflect` pads).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReflectedCrop {
    /// The most pixels the image is moved by.
    pub padding: usize,
}

impl ReflectedCrop {
    pub(super) fn check(&self) -> Result<(), String> {
        check_padding(self.padding)
    }

    pub(super) fn apply(&self, picture: &mut Picture<'_>, draws: &mut Draws) {
        let by = [0; 2].map(|_| draws.below(2 * self.padding + 1) as isize - self.padding as isize);
        moved(picture, by);
    }
}

/// Takes each pixel from `down` rows below and `right` columns to the right of its place.
fn moved(picture: &mut Picture<'_>, [down, right]: [isize; 2]) {
    if [down, right] == [0; 2] {
        return;
    }
    let [_, height, width] = picture.shape;
    let columns: Vec<usize> = (0..width).map(|column| mirrored(column as isize + right, width)).collect();
    let mut pixels = Vec::with_capacity(picture.pixels.len());
    for plane in picture.planes() {
        for row in 0..height {
            let from = mirrored(row as isize + down, height) * width;
            pixels.extend(columns.iter().map(|column| plane[from + column]));
        }
    }
    picture.pixels = pixels.into();
}

/// The place within `0..size` that a place is the mirror image of, however far outside it is.
fn mirrored(place: isize, size: usize) -> usize {
    let period = 2 * (size.max(2) - 1);
    let within = place.rem_euclid(period as isize) as usize;
    within.min(period - within).min(size - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.nn.functional.pad(torch.arange(12.).view(1, 3, 4), (2, 2, 2, 2), mode='reflect')`, and of it the piece from
    /// row 0 and column 3.
    #[test]
    fn the_border_is_torchs_reflection() {
        let mut picture = Picture { shape: [1, 3, 4], pixels: (0..12).collect::<Vec<u8>>().into() };
        moved(&mut picture, [-2, 1]);
        assert_eq!(*picture.pixels, [9, 10, 11, 10, 5, 6, 7, 6, 1, 2, 3, 2]);
        let mut row = Picture { shape: [1, 1, 1], pixels: vec![7].into() };
        moved(&mut row, [-5, 9]);
        assert_eq!(*row.pixels, [7]);
        assert_eq!([-4, -3, -1, 0, 2, 3, 5].map(|place| mirrored(place, 3)), [0, 1, 1, 0, 2, 1, 1]);
    }
}
