//! From an operation of the definition to one of the kernels.

use super::Operation;
use cnn_kernels::activation::Activation;
use cnn_kernels::pool::{Average, Max, Span};
use cnn_kernels::{Algorithm, Conv, Linear, Lrn};
use cnn_network::op::{self, AvgPool, Op};
use cnn_network::shape::{self, Axis, Pair, Shape, Window, adaptive_spans};

impl Operation {
    /// The operation for an input and an output of these shapes; `None` for batch normalisation, ReLU and the other
    /// scales and shifts per channel, which are applied where a value is read.
    pub fn of(op: &Op, input: Shape, output: Shape) -> Option<Self> {
        let size = || input.size().map_or([1, 1], Pair::axes);
        Some(match op {
            Op::Input => Self::Input,
            Op::Conv(op) => Self::Conv {
                conv: convolution(op, input.channels(), output.channels()),
                table: op.connections.clone(),
                algorithm: Algorithm::Auto,
            },
            Op::Linear(_) => Self::Linear(Linear { in_features: input.channels(), out_features: output.channels() }),
            Op::Lrn(op) => Self::LocalResponse(Lrn { size: op.size, alpha: op.alpha, beta: op.beta, k: op.k }),
            Op::Sigmoid => Self::Activation(Activation::Sigmoid),
            Op::Tanh { amplitude, slope } => {
                Self::Activation(Activation::Tanh { amplitude: *amplitude, slope: *slope })
            }
            Op::Softmax => Self::Activation(Activation::Softmax),
            Op::MaxPool(window) => Self::MaxPool(maximum(window)),
            Op::AvgPool(op) => Self::AveragePool(mean(op, size())),
            Op::AdaptiveAvgPool { output } => Self::AveragePool(adaptive_mean(*output, size())),
            Op::Flatten => Self::Flatten,
            Op::Dropout { rate } => Self::Dropout { rate: *rate },
            Op::ZeroChannels { before, .. } => Self::ZeroChannels { before: *before },
            Op::RadialBasis { centres } => Self::RadialBasis { centres: centres.clone() },
            Op::Add => Self::Sum,
            Op::Concat => Self::Concat,
            Op::BatchNorm(_) | Op::Relu | Op::Scale { .. } | Op::ChannelAffine { .. } | Op::InputAffine { .. } => {
                return None;
            }
        })
    }
}

fn convolution(op: &op::Conv, in_channels: usize, out_channels: usize) -> Conv {
    Conv {
        in_channels,
        out_channels,
        groups: op.groups,
        kernel: op.window.kernel.axes(),
        stride: op.window.stride.axes(),
        padding: op.window.padding.axes(),
        dilation: op.window.dilation.axes(),
    }
}

fn maximum(window: &Window) -> Max {
    Max {
        kernel: window.kernel.axes(),
        stride: window.stride.axes(),
        padding: window.padding.axes(),
        dilation: window.dilation.axes(),
    }
}

fn mean(op: &AvgPool, input: [usize; 2]) -> Average {
    let axes: [Axis; 2] = op.window.axes();
    let windows = |i: usize| {
        let spans = (0..axes[i].output(input[i]).unwrap_or(0)).map(|o| axes[i].span(o, input[i]));
        let divisor = |s: &shape::Span| if op.count_padding { s.padded } else { s.end - s.start };
        spans.map(|s| Span { start: s.start, end: s.end, divisor: divisor(&s) }).collect()
    };
    Average { spans: [windows(0), windows(1)] }
}

fn adaptive_mean(output: Pair, input: [usize; 2]) -> Average {
    let output = output.axes();
    let windows = |i: usize| {
        let spans = adaptive_spans(input[i], output[i]).into_iter();
        spans.map(|s| Span { start: s.start, end: s.end, divisor: s.end - s.start }).collect()
    };
    Average { spans: [windows(0), windows(1)] }
}
