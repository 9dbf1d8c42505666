//! A fit worked out for images of one size.

use crate::Fit;
use crate::fit::round;
use crate::resample::{Resample, Window};

/// A [`Fit`] worked out for images of one shape.
pub(crate) enum Fitting {
    None,
    Pad {
        top: usize,
        left: usize,
    },
    /// Stretched; what is kept lies `top` rows down and `left` columns in.
    Stretched {
        resample: Resample,
        top: usize,
        left: usize,
        /// Whether the rest has the mean's colour; else it is black.
        mean: bool,
    },
}

/// Where the middle of a stretched line comes to lie in a piece.
struct Middle {
    /// The first pixel that is kept.
    from: usize,
    /// How many are.
    count: usize,
    /// Where in the piece they begin.
    at: usize,
}

impl Middle {
    /// A line of `side` pixels is cut to `piece`, or lies in the middle of it.
    fn new(side: usize, piece: usize) -> Self {
        match side.checked_sub(piece) {
            Some(over) => Self { from: round(over as f64 / 2.0), count: piece, at: 0 },
            None => Self { from: 0, count: side, at: (piece - side) / 2 },
        }
    }
}

impl Fit {
    /// Works the fit out for images of `size` (height, width), which [`Fit::size`] accepts.
    pub(crate) fn fitting(&self, size: [usize; 2]) -> Fitting {
        let (stretched, piece, filter) = match *self {
            Self::None => return Fitting::None,
            Self::Pad { height, width } => {
                return Fitting::Pad { top: (height - size[0]) / 2, left: (width - size[1]) / 2 };
            }
            Self::Resize { height, width, interpolation } => ([height, width], [height, width], interpolation),
            Self::Crop { short, height, width, interpolation } => {
                let least = size[0].min(size[1]);
                let longer = |side: usize| (short as f64 * side as f64 / least as f64) as usize;
                (size.map(longer), [height, width], interpolation)
            }
            Self::Cover { stretched, height, width, interpolation } => {
                (scaled(size, stretched, f64::min), [height, width], interpolation)
            }
            Self::Squash { stretched, height, width, interpolation } => (stretched, [height, width], interpolation),
            Self::Border { stretched, height, width, interpolation } => {
                (scaled(size, stretched, f64::max), [height, width], interpolation)
            }
        };
        let [rows, columns] = [0, 1].map(|axis| Middle::new(stretched[axis], piece[axis]));
        let window = Window { top: rows.from, left: columns.from, height: rows.count, width: columns.count };
        let resample = Resample::new(size, stretched, window, filter);
        Fitting::Stretched { resample, top: rows.at, left: columns.at, mean: matches!(self, Self::Border { .. }) }
    }
}

/// `size` divided by one of its ratios to `target`, and rounded; a side that would vanish keeps a pixel.
fn scaled(size: [usize; 2], target: [usize; 2], choose: fn(f64, f64) -> f64) -> [usize; 2] {
    let ratio = choose(size[0] as f64 / target[0] as f64, size[1] as f64 / target[1] as f64);
    size.map(|side| round(side as f64 / ratio).max(1))
}

impl Fitting {
    /// Fits one channel of `from` (height, width) into `out` of `to`, values 0 to 255 throughout; `mean` is the channel's
    /// on the scale 0 to 1.
    pub(crate) fn apply(&self, plane: &[u8], from: [usize; 2], out: &mut [f32], to: [usize; 2], mean: f32) {
        match self {
            Self::None => place(plane, from, out, to, [0, 0]),
            Self::Pad { top, left } => {
                out.fill(0.0);
                place(plane, from, out, to, [*top, *left]);
            }
            Self::Stretched { resample, top, left, mean: colour } => {
                if resample.size() != to {
                    let byte = (255.0 * f64::from(mean)).round_ties_even().clamp(0.0, 255.0);
                    out.fill(if *colour { byte as f32 } else { 0.0 });
                }
                place(&resample.plane(plane, from[1]), resample.size(), out, to, [*top, *left]);
            }
        }
    }
}

/// Writes the bytes of `from` (height, width) into a field of `to`, so many rows down and columns in.
fn place(bytes: &[u8], from: [usize; 2], out: &mut [f32], to: [usize; 2], [top, left]: [usize; 2]) {
    let fields = out.chunks_exact_mut(to[1].max(1)).skip(top);
    for (field, line) in fields.zip(bytes.chunks_exact(from[1].max(1))) {
        for (out, byte) in field[left..left + from[1]].iter_mut().zip(line) {
            *out = f32::from(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interpolation;

    fn fit(fit: Fit, plane: &[u8], from: [usize; 2]) -> Vec<f32> {
        let to = fit.size(from).unwrap();
        let mut out = vec![f32::NAN; to[0] * to[1]];
        fit.fitting(from).apply(plane, from, &mut out, to, 0.5);
        out
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
        for filter in Interpolation::ALL {
            assert_eq!(fit(Fit::resize([5, 7]).interpolated(filter), &plane, [5, 7]), expected, "{filter}");
        }
    }

    #[test]
    fn enlarging_interpolates_between_centres() {
        // New centres fall on −0.25, 0.25, 0.75 and 1.25 of the old ones: the ends repeat, the rest mixes by quarters.
        let wide = fit(Fit::resize([1, 4]), &[0, 100], [1, 2]);
        assert_eq!(wide, [0.0, 25.0, 75.0, 100.0]);
        assert_eq!(fit(Fit::resize([4, 1]), &[0, 100], [2, 1]), wide);
    }

    #[test]
    fn shrinking_averages_under_a_triangle() {
        // By two: weights 1, 3, 3, 1 over 8; at the ends the one outside falls away: 3, 3, 1 over 7.
        let halved = fit(Fit::resize([1, 3]), &[70, 0, 80, 0, 0, 210], [1, 6]);
        let exact = [(3.0 * 70.0 + 80.0) / 7.0, 3.0 * 80.0 / 8.0, 3.0 * 210.0 / 7.0];
        assert_eq!(halved, exact.map(f32::round));
    }

    #[test]
    fn resizing_keeps_a_constant_image() {
        for (height, width) in [(1, 1), (3, 50), (13, 2), (224, 224)] {
            for filter in Interpolation::ALL {
                let out = fit(Fit::resize([height, width]).interpolated(filter), &[200; 77], [7, 11]);
                assert!(out.iter().all(|value| *value == 200.0), "{filter}");
            }
        }
        assert!(Fit::resize([0, 3]).size([2, 2]).is_err());
    }

    #[test]
    fn a_piece_larger_than_the_image_has_a_black_frame_or_one_of_the_mean() {
        let interpolation = Interpolation::Bilinear;
        let crop = Fit::Crop { short: 2, height: 2, width: 5, interpolation };
        assert_eq!(fit(crop, &[9; 4], [2, 2]), [0., 9., 9., 0., 0., 0., 9., 9., 0., 0.]);
        // Half of 255 is 127.5, which Python rounds to the even 128.
        let border = Fit::Border { stretched: [3, 3], height: 3, width: 3, interpolation };
        assert_eq!(fit(border, &[9; 3], [1, 3]), [128., 128., 128., 9., 9., 9., 128., 128., 128.]);
        let squash = Fit::Squash { stretched: [4, 4], height: 2, width: 2, interpolation };
        assert_eq!(fit(squash, &[9; 3], [1, 3]), [9.; 4]);
    }

    #[test]
    fn a_line_of_millions_of_pixels_takes_little_room() {
        let long = vec![7; 1 << 20];
        for filter in Interpolation::ALL {
            for size in [[1, 1 << 20], [1 << 20, 1]] {
                let crop = Fit::Crop { short: 8192, height: 8, width: 8, interpolation: filter };
                assert_eq!(fit(crop, &long, size), [7.0; 64], "{filter}");
                assert_eq!(fit(Fit::resize([8, 8]).interpolated(filter), &long, size), [7.0; 64], "{filter}");
            }
        }
    }
}
