//! A function for each operation, and one call for each number that departs from the default.

use super::Block;
use crate::initialisation::Law;
use crate::op::{AvgPool, BatchNorm, Conv, Linear, Lrn, Op};
use crate::shape::{Pair, Window};

/// A convolution of this kernel: stride 1, no padding, a bias, as many channels out as in.
pub fn conv(kernel: impl Into<Pair>) -> Conv {
    Conv {
        out_channels: None,
        window: Window::new(kernel.into()),
        groups: 1,
        depthwise: None,
        bias: true,
        connections: None,
        weight_law: None,
        bias_law: None,
    }
}

impl Conv {
    /// Number of output channels.
    pub fn out(self, channels: usize) -> Self {
        Self { out_channels: Some(channels), ..self }
    }

    /// Step between two windows.
    pub fn stride(self, stride: impl Into<Pair>) -> Self {
        Self { window: Window { stride: stride.into(), ..self.window }, ..self }
    }

    /// Zeros added on either side.
    pub fn pad(self, padding: impl Into<Pair>) -> Self {
        Self { window: Window { padding: padding.into(), ..self.window }, ..self }
    }

    /// Distance between two taps.
    pub fn dilation(self, dilation: impl Into<Pair>) -> Self {
        Self { window: Window { dilation: dilation.into(), ..self.window }, ..self }
    }

    /// Groups of channels that do not see each other.
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, depthwise: None, ..self }
    }

    /// Every input channel by itself: as many groups as channels come in, one output channel of each.
    ///
    /// ```
    /// use cnn_network::definition::*;
    ///
    /// let separable = chain().then("depth", conv(3).pad(1).depthwise()).then("point", conv(1).out(64));
    /// let network = separable.named("separable", [32, 14, 14]).at_usual_input()?;
    /// assert_eq!(network.summary().parameters, (32 * 9 + 32) + (64 * 32 + 64));
    /// # Ok::<(), cnn_network::Error>(())
    /// ```
    pub fn depthwise(self) -> Self {
        self.depthwise_by(1)
    }

    /// Every input channel by itself, with `multiplier` output channels of each.
    pub fn depthwise_by(self, multiplier: usize) -> Self {
        Self { groups: 1, depthwise: Some(multiplier), ..self }
    }

    /// No bias: where a batch normalisation follows.
    pub fn no_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    /// For each output channel the input channels it sees, in ascending order. The weights are stored one kernel a
    /// connection, output channel by output channel: `[connections, kh, kw]`.
    pub fn connections(self, table: Vec<Vec<usize>>) -> Self {
        Self { out_channels: Some(table.len()), connections: Some(table), ..self }
    }

    /// Weights initialised by this law, whatever the network's scheme says.
    pub fn weights(self, law: Law) -> Self {
        Self { weight_law: Some(law), ..self }
    }

    /// Bias initialised by this law, whatever the network's scheme says.
    pub fn biases(self, law: Law) -> Self {
        Self { bias_law: Some(law), ..self }
    }
}

impl From<Conv> for Block {
    fn from(conv: Conv) -> Self {
        Self::Op(Op::Conv(conv))
    }
}

/// A linear layer with this many outputs, and a bias.
pub fn linear(out_features: usize) -> Linear {
    Linear { out_features, bias: true, weight_law: None, bias_law: None }
}

impl Linear {
    /// No bias.
    pub fn no_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    /// Weights initialised by this law, whatever the network's scheme says.
    pub fn weights(self, law: Law) -> Self {
        Self { weight_law: Some(law), ..self }
    }

    /// Bias initialised by this law, whatever the network's scheme says.
    pub fn biases(self, law: Law) -> Self {
        Self { bias_law: Some(law), ..self }
    }
}

impl From<Linear> for Block {
    fn from(linear: Linear) -> Self {
        Self::Op(Op::Linear(linear))
    }
}

/// Batch normalisation with torch's defaults: ε = 1e-5, momentum 0.1.
pub fn batch_norm() -> BatchNorm {
    BatchNorm { eps: 1e-5, momentum: 0.1 }
}

impl BatchNorm {
    /// Added to the variance.
    pub fn eps(self, eps: f64) -> Self {
        Self { eps, ..self }
    }

    /// Weight of the new batch in the running statistics.
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }
}

impl From<BatchNorm> for Block {
    fn from(norm: BatchNorm) -> Self {
        Self::Op(Op::BatchNorm(norm))
    }
}

/// Local response normalisation with AlexNet's numbers: five channels, α = 1e-4 on the plain sum, β = 0.75, k = 2.
pub fn lrn() -> Lrn {
    Lrn { size: 5, alpha: 1e-4, beta: 0.75, k: 2.0 }
}

impl From<Lrn> for Block {
    fn from(lrn: Lrn) -> Self {
        Self::Op(Op::Lrn(lrn))
    }
}

/// `max(x, 0)`.
pub fn relu() -> Op {
    Op::Relu
}

/// `amplitude · tanh(slope · x)`.
pub fn tanh(amplitude: f64, slope: f64) -> Op {
    Op::Tanh { amplitude, slope }
}

/// A max pool whose stride is its kernel.
pub fn max_pool(kernel: impl Into<Pair>) -> MaxPool {
    MaxPool { window: pool_window(kernel) }
}

/// An average pool whose stride is its kernel; padding counts in the divisor, as in torch.
pub fn avg_pool(kernel: impl Into<Pair>) -> AvgPool {
    AvgPool { window: pool_window(kernel), count_padding: true }
}

fn pool_window(kernel: impl Into<Pair>) -> Window {
    let kernel = kernel.into();
    Window { stride: kernel, ..Window::new(kernel) }
}

/// A max pool being defined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxPool {
    window: Window,
}

impl MaxPool {
    /// Step between two windows.
    pub fn stride(self, stride: impl Into<Pair>) -> Self {
        Self { window: Window { stride: stride.into(), ..self.window } }
    }

    /// −∞ added on either side.
    pub fn pad(self, padding: impl Into<Pair>) -> Self {
        Self { window: Window { padding: padding.into(), ..self.window } }
    }

    /// A last window may hang over the far edge.
    pub fn ceil(self) -> Self {
        Self { window: Window { ceil: true, ..self.window } }
    }
}

impl From<MaxPool> for Block {
    fn from(pool: MaxPool) -> Self {
        Self::Op(Op::MaxPool(pool.window))
    }
}

impl AvgPool {
    /// Step between two windows.
    pub fn stride(self, stride: impl Into<Pair>) -> Self {
        Self { window: Window { stride: stride.into(), ..self.window }, ..self }
    }

    /// Zeros added on either side.
    pub fn pad(self, padding: impl Into<Pair>) -> Self {
        Self { window: Window { padding: padding.into(), ..self.window }, ..self }
    }

    /// A last window may hang over the far edge.
    pub fn ceil(self) -> Self {
        Self { window: Window { ceil: true, ..self.window }, ..self }
    }

    /// Only real elements count in the divisor.
    pub fn without_padding(self) -> Self {
        Self { count_padding: false, ..self }
    }
}

impl From<AvgPool> for Block {
    fn from(pool: AvgPool) -> Self {
        Self::Op(Op::AvgPool(pool))
    }
}

/// An average pool to this output size, from any input size.
pub fn adaptive_avg_pool(output: impl Into<Pair>) -> Op {
    Op::AdaptiveAvgPool { output: output.into() }
}

/// Feature maps as one vector.
pub fn flatten() -> Op {
    Op::Flatten
}

/// Zero with probability `rate` in training.
pub fn dropout(rate: f64) -> Op {
    Op::Dropout { rate }
}

/// Every element times `factor`.
pub fn scale(factor: f64) -> Op {
    Op::Scale { factor }
}

/// `before` channels of zeros in front and `after` behind the input's own.
pub fn zero_channels(before: usize, after: usize) -> Op {
    Op::ZeroChannels { before, after }
}

/// `1 / (1 + e⁻ˣ)`.
pub fn sigmoid() -> Op {
    Op::Sigmoid
}

/// A trained coefficient, at first this one, and bias per channel.
pub fn channel_affine(coefficient: f64) -> Op {
    Op::ChannelAffine { coefficient }
}

/// Constant `scale` and `shift`, one of each per input channel.
pub fn input_affine(scale: &[f64], shift: &[f64]) -> Op {
    Op::InputAffine { scale: scale.to_vec(), shift: shift.to_vec() }
}

/// Scores `−Σⱼ (xⱼ − cᵢⱼ)²` against fixed `centres`, one a class.
pub fn radial_basis(centres: Vec<Vec<f64>>) -> Op {
    Op::RadialBasis { centres }
}
