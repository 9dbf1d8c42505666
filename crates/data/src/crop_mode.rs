//! A fit by the words of timm's configurations.

use crate::{Error, Fit, Interpolation};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// How timm brings an image to a network's size (`crop_mode` in its `config.json`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CropMode {
    /// Its shape kept, the middle cut out.
    #[default]
    Center,
    /// Its shape given up, the middle cut out.
    Squash,
    /// Its shape kept, all of it within the piece, a border of the mean's colour around it.
    Border,
}

impl FromStr for CropMode {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "center" => Ok(Self::Center),
            "squash" => Ok(Self::Squash),
            "border" => Ok(Self::Border),
            _ => Err(Error::CropMode { found: name.to_string() }),
        }
    }
}

impl Fit {
    /// The fit that timm evaluates with: images of `size` (height, width) are the middle `crop_pct` of a stretched image,
    /// whose sides are rounded down.
    ///
    /// ```
    /// use cnn_data::{CropMode, Fit, Interpolation};
    ///
    /// // timm/resnet18.a1_in1k
    /// let fit = Fit::timm([224, 224], 0.95, CropMode::Center, Interpolation::Bicubic)?;
    /// let short = 235;
    /// assert_eq!(fit, Fit::Crop { short, height: 224, width: 224, interpolation: Interpolation::Bicubic });
    /// # Ok::<(), cnn_data::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::CropShare`] for a share that is not above 0 and at most 1000.
    pub fn timm(
        [height, width]: [usize; 2],
        crop_pct: f64,
        mode: CropMode,
        interpolation: Interpolation,
    ) -> Result<Self, Error> {
        if !(crop_pct > 0.0 && crop_pct <= 1000.0) {
            return Err(Error::CropShare { found: crop_pct });
        }
        let stretched = [height, width].map(|side| (side as f64 / crop_pct) as usize);
        Ok(match mode {
            CropMode::Center if stretched[0] == stretched[1] => {
                Self::Crop { short: stretched[0], height, width, interpolation }
            }
            CropMode::Center => Self::Cover { stretched, height, width, interpolation },
            CropMode::Squash => Self::Squash { stretched, height, width, interpolation },
            CropMode::Border => Self::Border { stretched, height, width, interpolation },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_share_or_mode_is_refused() {
        for wrong in [0.0, -0.9, f64::NAN, f64::INFINITY] {
            let error = Fit::timm([224, 224], wrong, CropMode::Center, Interpolation::Bicubic).unwrap_err();
            assert_eq!(error.to_string(), format!("expected a share to crop above 0 and at most 1000, found {wrong}"));
        }
        let error = "centre".parse::<CropMode>().unwrap_err().to_string();
        assert_eq!(error, "no crop mode is named \"centre\", expected one of center, squash, border");
        assert_eq!("squash".parse::<CropMode>().unwrap(), CropMode::Squash);
    }

    #[test]
    fn sides_that_differ_are_covered() {
        let fit = |mode| Fit::timm([224, 320], 0.875, mode, Interpolation::Bilinear).unwrap();
        let (stretched, height, width, interpolation) = ([256, 365], 224, 320, Interpolation::Bilinear);
        assert_eq!(fit(CropMode::Center), Fit::Cover { stretched, height, width, interpolation });
        assert_eq!(fit(CropMode::Squash), Fit::Squash { stretched, height, width, interpolation });
        assert_eq!(fit(CropMode::Border), Fit::Border { stretched, height, width, interpolation });
    }
}
