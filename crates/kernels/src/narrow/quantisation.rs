//! 8-bit numbers: which real number each stands for, and what takes those of one tensor to those of another.

use super::{Addend, Finish, Stored};
use crate::conv::Conv;
use crate::region::Region;

/// What the 8-bit numbers of a tensor stand for: `scale · (q − zero)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantisation {
    /// Distance of two neighbouring numbers; above 0.
    pub scale: f32,
    /// The number that stands for 0.
    pub zero: u8,
}

impl Quantisation {
    /// The finest that covers a range, and 0. A range of no extent, or one that is not finite, gives a scale of 1.
    pub fn of_range(low: f32, high: f32) -> Self {
        let (low, high) = (f64::from(low).min(0.0), f64::from(high).max(0.0));
        let scale = (high - low) / 255.0;
        if !(scale.is_finite() && scale as f32 >= f32::MIN_POSITIVE) {
            return Self { scale: 1.0, zero: 0 };
        }
        Self { scale: scale as f32, zero: (-low / scale).round_ties_even().clamp(0.0, 255.0) as u8 }
    }

    /// The nearest 8-bit number; 0 for NaN.
    pub fn quantise(self, x: f32) -> u8 {
        (x * (1.0 / self.scale) + f32::from(self.zero)).clamp(0.0, 255.0).round_ties_even() as u8
    }

    /// What an 8-bit number stands for.
    pub fn real(self, q: u8) -> f32 {
        self.scale * (f32::from(q) - f32::from(self.zero))
    }
}

/// Weights as 8-bit integers, symmetric: `scale[out] · q`, with `q` in `−127..=127`. Gives them with the scales. An output
/// all of whose weights are 0, or below 1.5e-36 so that no scale stands for them, or one of whose weights is infinite, gets a
/// scale of 1. A weight of NaN becomes 0.
///
/// # Panics
///
/// Where there are not as many weights as the convolution has.
pub fn quantise_weights(conv: &Conv, weights: &[f32]) -> (Vec<i8>, Vec<f32>) {
    assert_eq!(weights.len(), conv.weights(), "weights of {conv:?}");
    let (mut all, mut scales) = (Vec::with_capacity(weights.len()), Vec::with_capacity(conv.out_channels));
    for weights in weights.chunks_exact((conv.weights() / conv.out_channels.max(1)).max(1)) {
        let largest = weights.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
        let scale = largest / 127.0;
        let scale = if scale.is_finite() && scale >= f32::MIN_POSITIVE { scale } else { 1.0 };
        all.extend(weights.iter().map(|weight| (weight / scale).round_ties_even().clamp(-127.0, 127.0) as i8));
        scales.push(scale);
    }
    (all, scales)
}

/// What makes the numbers of an output from the sums of an 8-bit convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Requantisation {
    /// Factor of each channel.
    pub scale: Vec<f32>,
    /// Addend of each channel.
    pub bias: Vec<f32>,
    /// Factor of the maps that are added.
    pub factor: f32,
    /// Lower bound, where there is a ReLU.
    pub floor: Option<f32>,
}

impl Requantisation {
    /// The same for a call; the addend is what was announced, or nothing.
    pub fn finish<'a, F: Stored>(&'a self, addend: Option<(&'a [F], Region)>) -> Finish<'a, F> {
        Finish {
            scale: Some(&self.scale),
            bias: Some(&self.bias),
            addend: addend.map(|(data, region)| Addend { data, region, factor: self.factor }),
            floor: self.floor,
        }
    }
}

/// For `relu(conv(x) + bias + addend)`: from the scale of the products, one for each output (that of the input times those
/// of the weights), to what the output's numbers are. Without a quantisation of the output they are real numbers.
pub fn requantise(
    products: impl IntoIterator<Item = f32>,
    bias: Option<&[f32]>,
    addend: Option<Quantisation>,
    output: Option<Quantisation>,
    relu: bool,
) -> Requantisation {
    let to = output.map_or(1.0, |output| 1.0 / f64::from(output.scale));
    let zero = output.map_or(0.0, |output| f64::from(output.zero));
    let added = addend.map_or(0.0, |addend| f64::from(addend.scale) * f64::from(addend.zero));
    let scale: Vec<f32> = products.into_iter().map(|product| (f64::from(product) * to) as f32).collect();
    let bias = (0..scale.len()).map(|channel| {
        let bias = bias.map_or(0.0, |bias| f64::from(bias[channel]));
        ((bias - added) * to + zero) as f32
    });
    Requantisation {
        bias: bias.collect(),
        scale,
        factor: addend.map_or(0.0, |addend| (f64::from(addend.scale) * to) as f32),
        floor: relu.then_some(zero as f32),
    }
}
