//! The arguments that say how pictures are prepared, where weights do not or something else is wanted.

use clap::Args;
use cnn_data::Interpolation;
use std::str::FromStr;

/// How pictures become numbers. What is not given comes with the weights.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct PreparationArgs {
    /// Mean of each channel on the scale 0 to 1: R,G,B, or one number for grey
    #[arg(long, value_name = "R,G,B", value_delimiter = ',')]
    pub mean: Option<Vec<f32>>,
    /// Standard deviation of each channel on the scale 0 to 1
    #[arg(long, value_name = "R,G,B", value_delimiter = ',')]
    pub std: Option<Vec<f32>>,
    /// Side of the piece that is cut out of the middle, and the shorter side before that [default: 8/7 of the piece]
    #[arg(long, value_name = "N|N/SHORT")]
    pub crop: Option<Crop>,
    /// How pictures are stretched: nearest, box, bilinear, hamming, bicubic or lanczos
    #[arg(long, value_name = "NAME")]
    pub interpolation: Option<Interpolation>,
}

/// `224`, or `224/256`: a piece of 224×224 out of a picture whose shorter side is 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    pub side: usize,
    pub short: Option<usize>,
}

impl FromStr for Crop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|number| *number > 0);
        let (side, short) = match text.split_once('/') {
            None => (number(text), Some(None)),
            Some((side, short)) => (number(side), number(short).map(Some)),
        };
        match (side, short) {
            (Some(side), Some(short)) => Ok(Self { side, short }),
            _ => Err("expected a side in pixels, as 224, or with the shorter side before it, as 224/256".to_string()),
        }
    }
}
