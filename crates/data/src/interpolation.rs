//! How new pixels are made of old ones when an image is stretched.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

/// The filters of the Python Imaging Library, by the names that it, torchvision and timm use.
///
/// Where an image shrinks, every filter but [`Nearest`](Self::Nearest) covers as many old pixels as fall on a new one:
/// this is what other libraries call antialiased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Interpolation {
    /// The old pixel that the new one's centre falls on.
    Nearest,
    /// The mean of the old pixels under the new one.
    Box,
    /// A triangle, two old pixels wide.
    #[default]
    Bilinear,
    /// A cosine window over a sinc, two old pixels wide.
    Hamming,
    /// Keys' cubic with a = −0.5, four old pixels wide.
    Bicubic,
    /// A sinc under a wider sinc, six old pixels wide.
    Lanczos,
}

impl Interpolation {
    /// Every filter.
    pub const ALL: [Self; 6] = [Self::Nearest, Self::Box, Self::Bilinear, Self::Hamming, Self::Bicubic, Self::Lanczos];

    /// The name, as torchvision and timm write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Box => "box",
            Self::Bilinear => "bilinear",
            Self::Hamming => "hamming",
            Self::Bicubic => "bicubic",
            Self::Lanczos => "lanczos",
        }
    }

    /// Whether it is the filter of a card that names none.
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// How far a filter reaches to each side, in old pixels where none is lost; `None` for what is no filter.
    pub(crate) fn reach(self) -> Option<f64> {
        match self {
            Self::Nearest => None,
            Self::Box => Some(0.5),
            Self::Bilinear | Self::Hamming => Some(1.0),
            Self::Bicubic => Some(2.0),
            Self::Lanczos => Some(3.0),
        }
    }

    /// The filter's height at `x` from its middle. Each term is in the order that Pillow computes it in, so that the last
    /// bit is the same.
    pub(crate) fn height(self, x: f64) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box if x > -0.5 && x <= 0.5 => 1.0,
            Self::Bilinear if x.abs() < 1.0 => 1.0 - x.abs(),
            Self::Hamming => match x.abs() {
                0.0 => 1.0,
                x if x >= 1.0 => 0.0,
                x => {
                    let angle = x * PI;
                    angle.sin() / angle * (f64::from(0.54_f32) + f64::from(0.46_f32) * angle.cos())
                }
            },
            Self::Bicubic => {
                const A: f64 = -0.5;
                match x.abs() {
                    x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
                    x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
                    _ => 0.0,
                }
            }
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    let angle = x * PI;
    if x == 0.0 { 1.0 } else { angle.sin() / angle }
}

impl fmt::Display for Interpolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Interpolation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|filter| filter.as_str() == name);
        found.ok_or_else(|| Error::Interpolation {
            found: name.to_string(),
            expected: Self::ALL.map(Self::as_str).to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for filter in Interpolation::ALL {
            assert_eq!(filter.as_str().parse::<Interpolation>().unwrap(), filter);
            assert_eq!(serde_json::to_string(&filter).unwrap(), format!("\"{filter}\""));
        }
        let error = "cubic".parse::<Interpolation>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no interpolation is named \"cubic\", expected one of nearest, box, bilinear, hamming, bicubic, lanczos"
        );
    }

    #[test]
    fn filters_are_symmetric_and_end_at_their_reach() {
        for filter in Interpolation::ALL {
            let Some(reach) = filter.reach() else { continue };
            assert_eq!(filter.height(0.0), 1.0, "{filter}");
            assert!(filter.height(reach + 0.01) == 0.0 && filter.height(-reach - 0.01) == 0.0, "{filter}");
            assert_eq!(filter.height(0.3), filter.height(-0.3), "{filter}");
        }
    }
}
