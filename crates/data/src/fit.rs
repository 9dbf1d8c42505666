//! Bringing an image to the size a network wants.

use crate::Interpolation;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How an image is brought to another size, before it is normalised.
///
/// Wherever an image is stretched, it is to bytes, and they are those of the Python Imaging Library. Where the piece that
/// is cut out is larger than the stretched image, the rest is black, as torchvision has it.
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
    /// Stretched to a height and a width, whatever shape it had: torchvision's `Resize` of two numbers.
    Resize {
        /// Height after it, in pixels.
        height: usize,
        /// Width after it, in pixels.
        width: usize,
        /// The filter; a card that names none means bilinear.
        #[serde(default, skip_serializing_if = "Interpolation::is_usual")]
        interpolation: Interpolation,
    },
    /// Stretched until the shorter side has `short` pixels, then a piece cut out of the middle: how published ImageNet
    /// weights are judged, torchvision's `Resize` of one number and `CenterCrop`. The longer side is rounded down, an
    /// offset that is not whole to the even neighbour.
    Crop {
        /// The shorter side after stretching, in pixels.
        short: usize,
        /// Height of the piece in pixels.
        height: usize,
        /// Width of the piece in pixels.
        width: usize,
        /// The filter; a card that names none means bilinear.
        #[serde(default, skip_serializing_if = "Interpolation::is_usual")]
        interpolation: Interpolation,
    },
    /// Stretched until it just covers `stretched`, its shape kept, then a piece cut out of the middle: timm's `crop_mode`
    /// `center` where height and width differ. Sides are rounded to the nearest number.
    Cover {
        /// Height and width in pixels that are covered.
        stretched: [usize; 2],
        /// Height of the piece in pixels.
        height: usize,
        /// Width of the piece in pixels.
        width: usize,
        /// The filter.
        #[serde(default, skip_serializing_if = "Interpolation::is_usual")]
        interpolation: Interpolation,
    },
    /// Stretched to `stretched`, whatever shape it had, then a piece cut out of the middle: timm's `crop_mode` `squash`.
    Squash {
        /// Height and width in pixels after stretching.
        stretched: [usize; 2],
        /// Height of the piece in pixels.
        height: usize,
        /// Width of the piece in pixels.
        width: usize,
        /// The filter.
        #[serde(default, skip_serializing_if = "Interpolation::is_usual")]
        interpolation: Interpolation,
    },
    /// Stretched until it just lies within `stretched`, its shape kept, then a piece cut out of the middle, or a border of
    /// the mean's colour put around it: timm's `crop_mode` `border`.
    Border {
        /// Height and width in pixels that it lies within.
        stretched: [usize; 2],
        /// Height of the piece in pixels.
        height: usize,
        /// Width of the piece in pixels.
        width: usize,
        /// The filter.
        #[serde(default, skip_serializing_if = "Interpolation::is_usual")]
        interpolation: Interpolation,
    },
}

/// In words, but for the interpolation.
impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("pictures as they are"),
            Self::Pad { height, width } => write!(f, "framed to {height}×{width}"),
            Self::Resize { height, width, .. } => write!(f, "stretched to {height}×{width}"),
            Self::Crop { short, height, width, .. } => {
                write!(f, "shorter side {short}, of it the middle {height}×{width}")
            }
            Self::Cover { stretched: [a, b], height, width, .. } => {
                write!(f, "stretched to cover {a}×{b}, of it the middle {height}×{width}")
            }
            Self::Squash { stretched: [a, b], height, width, .. } => {
                write!(f, "stretched to {a}×{b}, of it the middle {height}×{width}")
            }
            Self::Border { stretched: [a, b], height, width, .. } => {
                write!(f, "stretched to lie within {a}×{b}, in the middle of {height}×{width}")
            }
        }
    }
}

impl Fit {
    /// The most that a side of a prepared image has, in pixels: ten times what published networks read.
    pub const MAX_SIDE: usize = 4096;

    /// A piece of `size` (height, width) out of the middle of an image whose shorter side is a seventh longer than the
    /// piece's longer one: 256 for 224, 342 for 299, as published networks are judged. Bilinear.
    pub fn centre([height, width]: [usize; 2]) -> Self {
        let short = round(height.max(width) as f64 * 8.0 / 7.0);
        Self::Crop { short, height, width, interpolation: Interpolation::Bilinear }
    }

    /// Stretched to `size` (height, width), bilinear.
    pub fn resize([height, width]: [usize; 2]) -> Self {
        Self::Resize { height, width, interpolation: Interpolation::Bilinear }
    }

    /// The same with another filter; where nothing is stretched nothing changes.
    #[must_use]
    pub fn interpolated(mut self, filter: Interpolation) -> Self {
        match &mut self {
            Self::None | Self::Pad { .. } => {}
            Self::Resize { interpolation, .. }
            | Self::Crop { interpolation, .. }
            | Self::Cover { interpolation, .. }
            | Self::Squash { interpolation, .. }
            | Self::Border { interpolation, .. } => *interpolation = filter,
        }
        self
    }

    /// The filter by which images are stretched, if they are.
    pub fn interpolation(&self) -> Option<Interpolation> {
        match *self {
            Self::None | Self::Pad { .. } => None,
            Self::Resize { interpolation, .. }
            | Self::Crop { interpolation, .. }
            | Self::Cover { interpolation, .. }
            | Self::Squash { interpolation, .. }
            | Self::Border { interpolation, .. } => Some(interpolation),
        }
    }

    /// Whether images of any size come out in one.
    pub fn equals_sizes(&self) -> bool {
        self.interpolation().is_some()
    }

    /// Height and width of what is fitted; none where images stay as they are.
    fn fitted(&self) -> Option<[usize; 2]> {
        match *self {
            Self::None => None,
            Self::Pad { height, width }
            | Self::Resize { height, width, .. }
            | Self::Crop { height, width, .. }
            | Self::Cover { height, width, .. }
            | Self::Squash { height, width, .. }
            | Self::Border { height, width, .. } => Some([height, width]),
        }
    }

    /// What is wrong with its own numbers, whatever is fitted: what is expected and found.
    pub(crate) fn check(&self) -> Result<(), [String; 2]> {
        const STRETCHED: usize = 2 * Fit::MAX_SIDE;
        let Some(fitted) = self.fitted() else { return Ok(()) };
        if fitted.contains(&0) {
            return Err(["a size of at least 1×1".to_string(), format!("one of {}", print(fitted))]);
        }
        if fitted.iter().any(|side| *side > Self::MAX_SIDE) {
            let expected = format!("sides of at most {} pixels", Self::MAX_SIDE);
            return Err([expected, format!("a size of {}", print(fitted))]);
        }
        match *self {
            Self::Crop { short, .. } if !(1..=STRETCHED).contains(&short) => {
                Err([format!("a shorter side of 1 to {STRETCHED} pixels"), format!("one of {short}")])
            }
            Self::Cover { stretched, .. } | Self::Squash { stretched, .. } | Self::Border { stretched, .. }
                if !stretched.iter().all(|side| (1..=STRETCHED).contains(side)) =>
            {
                let expected = format!("a stretch to sides of 1 to {STRETCHED} pixels");
                Err([expected, format!("one to {}", print(stretched))])
            }
            _ => Ok(()),
        }
    }

    /// Height and width after fitting images of `size` (height, width), or what is wrong: what is expected and found.
    pub(crate) fn size(&self, size: [usize; 2]) -> Result<[usize; 2], [String; 2]> {
        self.check()?;
        match *self {
            Self::Pad { height, width } if height < size[0] || width < size[1] => {
                Err([format!("a field of at least {}", print(size)), format!("one of {}", print([height, width]))])
            }
            _ => Ok(self.fitted().unwrap_or(size)),
        }
    }
}

fn print([height, width]: [usize; 2]) -> String {
    format!("{height}×{width}")
}

/// To the nearest whole number, halves to the even one, as Python rounds.
pub(crate) fn round(value: f64) -> usize {
    value.round_ties_even() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fit_has_the_same_bounds() {
        let fits: [fn([usize; 2]) -> Fit; 6] = [
            |[height, width]| Fit::Pad { height, width },
            Fit::resize,
            |[height, width]| Fit::Crop { short: 4096, height, width, interpolation: Interpolation::Bilinear },
            |[height, width]| Fit::Cover { stretched: [9, 9], height, width, interpolation: Interpolation::Bicubic },
            |[height, width]| Fit::Squash { stretched: [9, 9], height, width, interpolation: Interpolation::Bicubic },
            |[height, width]| Fit::Border { stretched: [9, 9], height, width, interpolation: Interpolation::Bicubic },
        ];
        for fit in fits {
            assert_eq!(fit([4096, 8]).size([2, 2]).unwrap(), [4096, 8]);
            for wrong in [[4097, 8], [8, 65536], [usize::MAX, usize::MAX], [0, 8], [8, 0]] {
                let message = fit(wrong).size([2, 2]).unwrap_err();
                assert!(message[1].ends_with(&format!("of {}×{}", wrong[0], wrong[1])), "{message:?}");
            }
        }
        let interpolation = Interpolation::Bilinear;
        for short in [0, 8193, usize::MAX] {
            let [expected, found] = Fit::Crop { short, height: 8, width: 8, interpolation }.size([2, 2]).unwrap_err();
            assert_eq!(
                [expected, found],
                ["a shorter side of 1 to 8192 pixels".to_string(), format!("one of {short}")]
            );
            let stretched = [short, 3];
            let [_, found] = Fit::Squash { stretched, height: 8, width: 8, interpolation }.size([2, 2]).unwrap_err();
            assert_eq!(found, format!("one to {short}×3"));
        }
        // The most that can be asked for leaves room for what is cut off.
        assert_eq!(Fit::centre([Fit::MAX_SIDE; 2]).size([2, 2]).unwrap(), [Fit::MAX_SIDE; 2]);
    }

    #[test]
    fn a_card_without_a_filter_means_bilinear_and_stays_as_it_is() {
        let old = r#"{"crop":{"short":256,"height":224,"width":224}}"#;
        let fit: Fit = serde_json::from_str(old).unwrap();
        assert_eq!(fit, Fit::centre([224, 224]));
        assert_eq!(serde_json::to_string(&fit).unwrap(), old);
        let new = r#"{"crop":{"short":256,"height":224,"width":224,"interpolation":"bicubic"}}"#;
        let fit = fit.interpolated(Interpolation::Bicubic);
        assert_eq!(serde_json::to_string(&fit).unwrap(), new);
        assert_eq!(serde_json::from_str::<Fit>(new).unwrap(), fit);
        assert_eq!(Fit::None.interpolated(Interpolation::Bicubic), Fit::None);
    }
}
