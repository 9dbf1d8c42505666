//! Batch normalisation (Ioffe and Szegedy 2015): its scale and shift, and the gradient of what it normalises.
//!
//! With `z` the numbers of a channel, `μ` and `σ² = variance + ε` over the `N` of them in the batch, the output is
//! `γ/σ · (z − μ) + β`, a scale and a shift. With `g` the gradient of the output, that of `z` is
//! `γ/σ · (g − Σg/N − (z − μ)/σ² · Σ g(z − μ)/N)`, which is `γ/σ · g + factor · z + addend`.

use cnn_kernels::Element;

/// Scale and shift of one channel.
///
/// The shift is computed by the rounded scale: what the scale lacks then counts only as far as a number is from the mean.
pub fn scale_and_shift<T: Element>(weight: T, bias: T, moments: Moments, eps: f64) -> (T, T) {
    let scale = T::from_f64(weight.to_f64() / (moments.variance + eps).sqrt());
    (scale, T::from_f64(bias.to_f64() - moments.mean * scale.to_f64()))
}

/// Mean and biased variance of one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: f64,
    /// Mean square deviation.
    pub variance: f64,
}

/// Sums over the gradient of one channel's outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientSums {
    /// `Σ g`.
    pub gradient: f64,
    /// `Σ g (z − μ)`.
    pub product: f64,
    /// How many numbers the channel has in the batch.
    pub count: usize,
}

/// What the gradient of one channel of `z` has beside `scale · g`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction<T> {
    /// Factor of `z`.
    pub factor: T,
    /// Addend.
    pub addend: T,
}

/// The gradient of one channel beside `γ/σ · g`.
pub fn correction<T: Element>(weight: T, moments: Moments, eps: f64, sums: GradientSums) -> Correction<T> {
    let deviation = 1.0 / (moments.variance + eps).sqrt();
    let scale = weight.to_f64() * deviation;
    let count = sums.count as f64;
    let factor = T::from_f64(-scale * deviation * deviation * sums.product / count);
    // By the rounded factor, as the shift is by the rounded scale.
    let addend = -factor.to_f64() * moments.mean - scale * sums.gradient / count;
    Correction { factor, addend: T::from_f64(addend) }
}

/// The gradient of `γ`: `Σ g (z − μ) / σ`.
pub fn weight_gradient<T: Element>(moments: Moments, eps: f64, sums: GradientSums) -> T {
    T::from_f64(sums.product / (moments.variance + eps).sqrt())
}

/// A running statistic after a batch; the running variance is moved towards the unbiased one.
pub fn moved<T: Element>(running: T, new: f64, momentum: f64) -> T {
    T::from_f64(running.to_f64() * (1.0 - momentum) + new * momentum)
}

/// The unbiased variance of `count` numbers from the biased one.
pub fn unbiased(variance: f64, count: usize) -> f64 {
    variance * (count as f64 / (count as f64 - 1.0))
}
