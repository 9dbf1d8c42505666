//! Normalisation as a part of the graph.

use crate::error::{Error, Result};
use crate::graph::Graph;

/// What the input `pixels` holds where the graph normalises: the values of a picture, in f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pixels {
    /// From 0 to 255, as a decoder gives them.
    Bytes,
    /// From 0 to 1, as torchvision's `ToTensor` gives them.
    Unit,
}

impl Pixels {
    fn white(self) -> f64 {
        match self {
            Self::Bytes => 255.0,
            Self::Unit => 1.0,
        }
    }

    /// ONNX's own keys for what a picture is.
    pub(crate) fn format(self, channels: usize) -> Vec<(&'static str, String)> {
        let range = match self {
            Self::Bytes => "NominalRange_0_255",
            Self::Unit => "Normalized_0_1",
        };
        let mut entries = match channels {
            1 => vec![("Image.BitmapPixelFormat", "Gray8".to_string())],
            3 => vec![("Image.BitmapPixelFormat", "Rgb8".to_string())],
            _ => Vec::new(),
        };
        entries.push(("Image.ColorSpaceGamma", "SRGB".to_string()));
        entries.push(("Image.NominalPixelRange", range.to_string()));
        entries
    }

    /// `(x / white − mean) / std` as a product and a sum, with a mean and a deviation for each channel: the value `x`
    /// becomes `normalised`.
    pub(crate) fn normalise(self, graph: &mut Graph<'_>, mean: &[f32], std: &[f32], input: &str) -> Result<String> {
        let channels = graph.network.input().channels();
        let (mut factors, mut shifts) = (Vec::with_capacity(channels), Vec::with_capacity(channels));
        if mean.len() != channels || std.len() != channels {
            let (means, deviations) = (mean.len(), std.len());
            let network = graph.network.name().to_string();
            return Err(Error::Statistics { network, channels, means, deviations });
        }
        for (&mean, &deviation) in mean.iter().zip(std) {
            let factor = 1.0 / (f64::from(deviation) * self.white());
            let shift = -f64::from(mean) / f64::from(deviation);
            if deviation <= 0.0 || !(factor as f32).is_normal() || !(shift as f32).is_finite() {
                return Err(Error::Statistic { mean, deviation });
            }
            factors.push(factor as f32);
            shifts.push(shift as f32);
        }
        let dims = [channels, 1, 1];
        let factors = graph.numbers("normalise/factor", &dims, factors);
        let shifts = graph.numbers("normalise/shift", &dims, shifts);
        let scaled = graph.value("normalise/scaled");
        graph.node("Mul", &scaled, &[input, &factors], &scaled, Vec::new());
        let normalised = graph.value("normalise");
        graph.node("Add", &normalised, &[&scaled, &shifts], &normalised, Vec::new());
        Ok(normalised)
    }
}
