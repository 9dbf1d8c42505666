//! The usual preparation of published weights.

use cnn_data::{Fit, Preparation};

/// The shorter side resized to `short` pixels, a piece of `input` (channels, height, width) out of the middle. None for an
/// interpolation that is not known here.
pub(crate) fn crop(
    [_, height, width]: [usize; 3],
    short: usize,
    interpolation: &str,
    mean: Vec<f32>,
    std: Vec<f32>,
) -> Option<Preparation> {
    let known = ["bilinear", "bicubic"].contains(&interpolation);
    known.then(|| Preparation { fit: Fit::Crop { short, height, width }, mean, std })
}
