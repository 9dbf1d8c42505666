//! Bringing an image to the size a network wants.

use crate::resample::{Resample, Stretch, Window, weights};
use serde::{Deserialize, Serialize};

/// How an image is brought to another size, before it is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fit {
    /// The size stays.
    #[default]
    None,
    /// Centred on a black field (pixel value 0), as LeNet's paper centres 28×28 in 32×32. Where the border cannot be even,
    /// the extra row is below and the extra column right.
    Pad {
        /// Height of the field in pixels, at least the image's.
        height: usize,
        /// Width of the field in pixels, at least the image's.
        width: usize,
    },
    /// Stretched by bilinear interpolation between pixel centres; where it shrinks, over as many pixels as fall on one
    /// (antialiased). This is what PIL's `BILINEAR` and torchvision's `resize` with `antialias` compute, unrounded.
    Resize {
        /// Height after it, in pixels.
        height: usize,
        /// Width after it, in pixels.
        width: usize,
    },
    /// Stretched until the shorter side has `short` pixels, then a piece cut out of the middle: how published ImageNet
    /// weights are judged. Bilinear and antialiased to bytes as PIL does it; the longer side is rounded down, an offset
    /// that is not whole to the even neighbour.
    Crop {
        /// The shorter side after stretching, in pixels, at least as long as the piece's sides.
        short: usize,
        /// Height of the piece in pixels.
        height: usize,
        /// Width of the piece in pixels.
        width: usize,
    },
}

/// A [`Fit`] worked out for images of one shape.
pub(crate) enum Fitting {
    None,
    Pad { top: usize, left: usize },
    Resize { rows: Vec<Taps>, columns: Vec<Taps> },
    Crop(Resample),
}

/// The pixels of a line that make one new pixel: from `start` on, with weights that sum to 1.
pub(crate) struct Taps {
    start: usize,
    weights: Vec<f32>,
}

impl Fit {
    /// The most that a side of a prepared image has, in pixels: ten times what published networks read.
    pub const MAX_SIDE: usize = 4096;

    /// A piece of `size` (height, width) out of the middle of an image whose shorter side is a seventh longer than the
    /// piece's longer one: 256 for 224, 342 for 299, as published networks are judged.
    pub fn centre([height, width]: [usize; 2]) -> Self {
        Self::Crop { short: round(height.max(width) as f64 * 8.0 / 7.0), height, width }
    }

    /// Whether images of any size come out in one.
    pub(crate) fn equals_sizes(&self) -> bool {
        matches!(self, Self::Resize { .. } | Self::Crop { .. })
    }

    /// Height and width after fitting images of `size` (height, width), or what is wrong: what is expected and found.
    pub(crate) fn size(&self, size: [usize; 2]) -> Result<[usize; 2], [String; 2]> {
        let print = |[height, width]: [usize; 2]| format!("{height}×{width}");
        let fitted = match *self {
            Self::None => return Ok(size),
            Self::Pad { height, width } | Self::Resize { height, width } | Self::Crop { height, width, .. } => {
                [height, width]
            }
        };
        if fitted.contains(&0) {
            return Err(["a size of at least 1×1".to_string(), format!("one of {}", print(fitted))]);
        }
        if fitted.iter().any(|side| *side > Self::MAX_SIDE) {
            let expected = format!("sides of at most {} pixels", Self::MAX_SIDE);
            return Err([expected, format!("a size of {}", print(fitted))]);
        }
        match *self {
            Self::Pad { height, width } if height < size[0] || width < size[1] => {
                Err([format!("a field of at least {}", print(size)), format!("one of {}", print(fitted))])
            }
            Self::Crop { short, height, width } if !(height.max(width)..=2 * Self::MAX_SIDE).contains(&short) => Err([
                format!("a shorter side of {} to {} pixels", height.max(width), 2 * Self::MAX_SIDE),
                format!("one of {short}"),
            ]),
            _ => Ok(fitted),
        }
    }

    /// Works the fit out for images of `size` (height, width), which [`Fit::size`] accepts.
    pub(crate) fn fitting(&self, size: [usize; 2]) -> Fitting {
        match *self {
            Self::None => Fitting::None,
            Self::Pad { height, width } => Fitting::Pad { top: (height - size[0]) / 2, left: (width - size[1]) / 2 },
            Self::Resize { height, width } => Fitting::Resize {
                rows: taps(Stretch { from: size[0], to: height }),
                columns: taps(Stretch { from: size[1], to: width }),
            },
            Self::Crop { short, height, width } => {
                let least = size[0].min(size[1]);
                let stretched = size.map(|side| (short as f64 * side as f64 / least as f64) as usize);
                let middle = |side: usize, piece: usize| round((side - piece) as f64 / 2.0);
                let (top, left) = (middle(stretched[0], height), middle(stretched[1], width));
                Fitting::Crop(Resample::new(size, stretched, Window { top, left, height, width }))
            }
        }
    }
}

impl Fitting {
    /// Fits one channel of `from` (height, width) into `out` of `to`, values 0 to 255 throughout.
    pub(crate) fn apply(&self, plane: &[u8], from: [usize; 2], out: &mut [f32], to: [usize; 2]) {
        match self {
            Self::None => {
                for (out, pixel) in out.iter_mut().zip(plane) {
                    *out = f32::from(*pixel);
                }
            }
            Self::Pad { top, left } => {
                out.fill(0.0);
                for (row, line) in plane.chunks_exact(from[1]).enumerate() {
                    let start = (row + top) * to[1] + left;
                    for (out, pixel) in out[start..start + from[1]].iter_mut().zip(line) {
                        *out = f32::from(*pixel);
                    }
                }
            }
            Self::Resize { rows, columns } => {
                let wide: Vec<f32> = plane
                    .chunks_exact(from[1])
                    .flat_map(|line| columns.iter().map(|taps| taps.sum(|index| f32::from(line[index]))))
                    .collect();
                for (row, out) in out.chunks_exact_mut(to[1]).enumerate() {
                    for (column, out) in out.iter_mut().enumerate() {
                        *out = rows[row].sum(|index| wide[index * to[1] + column]);
                    }
                }
            }
            Self::Crop(resample) => {
                for (out, pixel) in out.iter_mut().zip(resample.plane(plane, from[1])) {
                    *out = f32::from(pixel);
                }
            }
        }
    }
}

impl Taps {
    fn sum(&self, value: impl Fn(usize) -> f32) -> f32 {
        self.weights.iter().enumerate().map(|(offset, weight)| weight * value(self.start + offset)).sum()
    }
}

fn taps(line: Stretch) -> Vec<Taps> {
    let tap = |index| {
        let (start, weights) = weights(line, index);
        Taps { start, weights: weights.into_iter().map(|weight| weight as f32).collect() }
    };
    (0..line.to).map(tap).collect()
}

/// To the nearest whole number, halves to the even one, as Python rounds.
pub(crate) fn round(value: f64) -> usize {
    value.round_ties_even() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(fit: Fit, plane: &[u8], from: [usize; 2]) -> Vec<f32> {
        let to = fit.size(from).unwrap();
        let mut out = vec![f32::NAN; to[0] * to[1]];
        fit.fitting(from).apply(plane, from, &mut out, to);
        out
    }

    #[track_caller]
    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, wanted) in found.iter().zip(expected) {
            assert!((found - wanted).abs() < 1e-3, "expected {expected:?}, found {found:?}");
        }
    }

    #[test]
    fn padding_centres_on_black() {
        let padded = fit(Fit::Pad { height: 3, width: 5 }, &[1, 2, 3, 4], [2, 2]);
        assert_eq!(padded, [0., 1., 2., 0., 0., 0., 3., 4., 0., 0., 0., 0., 0., 0., 0.]);
        let message = Fit::Pad { height: 1, width: 5 }.size([2, 2]).unwrap_err();
        assert_eq!(message, ["a field of at least 2×2", "one of 1×5"]);
    }

    #[test]
    fn resizing_to_the_same_size_changes_nothing() {
        let plane: Vec<u8> = (0..35).map(|index| index * 7).collect();
        let expected: Vec<f32> = plane.iter().map(|pixel| f32::from(*pixel)).collect();
        assert_close(&fit(Fit::Resize { height: 5, width: 7 }, &plane, [5, 7]), &expected);
    }

    #[test]
    fn enlarging_interpolates_between_centres() {
        // New centres fall on −0.25, 0.25, 0.75 and 1.25 of the old ones: the ends repeat, the rest mixes by quarters.
        let wide = fit(Fit::Resize { height: 1, width: 4 }, &[0, 100], [1, 2]);
        assert_close(&wide, &[0.0, 25.0, 75.0, 100.0]);
        assert_close(&fit(Fit::Resize { height: 4, width: 1 }, &[0, 100], [2, 1]), &wide);
    }

    #[test]
    fn shrinking_averages_under_a_triangle() {
        // By two: weights 1, 3, 3, 1 over 8; at the ends the one outside falls away: 3, 3, 1 over 7.
        let halved = fit(Fit::Resize { height: 1, width: 3 }, &[70, 0, 80, 0, 0, 210], [1, 6]);
        let expected = [(3.0 * 70.0 + 80.0) / 7.0, 3.0 * 80.0 / 8.0, 3.0 * 210.0 / 7.0];
        assert_close(&halved, &expected);
    }

    #[test]
    fn resizing_keeps_a_constant_image() {
        for (height, width) in [(1, 1), (3, 50), (13, 2), (224, 224)] {
            let out = fit(Fit::Resize { height, width }, &[200; 77], [7, 11]);
            assert!(out.iter().all(|value| (value - 200.0).abs() < 1e-3));
        }
        assert!(Fit::Resize { height: 0, width: 3 }.size([2, 2]).is_err());
    }

    #[test]
    fn every_fit_has_the_same_bounds() {
        let fits: [fn([usize; 2]) -> Fit; 3] = [
            |[height, width]| Fit::Pad { height, width },
            |[height, width]| Fit::Resize { height, width },
            |[height, width]| Fit::Crop { short: 4096, height, width },
        ];
        for fit in fits {
            assert_eq!(fit([4096, 8]).size([2, 2]).unwrap(), [4096, 8]);
            for wrong in [[4097, 8], [8, 65536], [usize::MAX, usize::MAX], [0, 8], [8, 0]] {
                let message = fit(wrong).size([2, 2]).unwrap_err();
                assert!(message[1].ends_with(&format!("of {}×{}", wrong[0], wrong[1])), "{message:?}");
            }
        }
        for short in [7, 8193, usize::MAX] {
            let [expected, found] = Fit::Crop { short, height: 8, width: 8 }.size([2, 2]).unwrap_err();
            assert_eq!(
                [expected, found],
                ["a shorter side of 8 to 8192 pixels".to_string(), format!("one of {short}")]
            );
        }
        // The most that can be asked for leaves room for what is cut off.
        assert_eq!(Fit::centre([Fit::MAX_SIDE; 2]).size([2, 2]).unwrap(), [Fit::MAX_SIDE; 2]);
    }
}
