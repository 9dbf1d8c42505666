//! The tensors an operation owns: name, shape, role, initialisation. The only place that spells tensor names.

use crate::initialisation::{Fans, Init, Law, Scheme};
use crate::op::Op;
use crate::shape::Shape;

/// What a tensor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Trained; multiplies.
    Weight,
    /// Trained; is added.
    Bias,
    /// A running statistic: saved, but not trained.
    Statistic,
}

/// One tensor of a network, without its values.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// Full name, for example `layer1.0.conv1.weight`.
    pub name: String,
    /// Dimensions, outermost first.
    pub dims: Vec<usize>,
    /// What it is for.
    pub role: Role,
    /// What it is filled with before training.
    pub init: Init,
}

impl TensorSpec {
    /// Number of elements; [`usize::MAX`] if there are more.
    pub fn elements(&self) -> usize {
        self.dims.iter().copied().fold(1, usize::saturating_mul)
    }

    /// Whether an optimiser changes it.
    pub fn trained(&self) -> bool {
        self.role != Role::Statistic
    }
}

/// The tensors of `op` at `path` for an input of shape `input`.
pub(crate) fn tensors_of(op: &Op, path: &str, input: Shape, scheme: &Scheme) -> Vec<TensorSpec> {
    let tensor =
        |name: &str, dims: Vec<usize>, role, init| TensorSpec { name: format!("{path}.{name}"), dims, role, init };
    let weight_and_bias = |dims: Vec<usize>, biases: Option<usize>, laws: [Law; 2], fans: Fans| {
        let weight = tensor("weight", dims, Role::Weight, laws[0].resolve(fans));
        let bias = biases.map(|n| tensor("bias", vec![n], Role::Bias, laws[1].resolve(fans)));
        [Some(weight), bias].into_iter().flatten().collect()
    };
    let per_channel = |name, role, value| tensor(name, vec![input.channels()], role, Init::Constant(value));
    match op {
        Op::Conv(conv) => {
            let out = conv.out_channels.unwrap_or(input.channels());
            let kernel = conv.window.kernel;
            let (dims, fan_in) = match &conv.connections {
                None => {
                    let seen = input.channels() / conv.groups;
                    (vec![out, seen, kernel.height, kernel.width], seen.saturating_mul(kernel.area()))
                }
                Some(table) => {
                    let connections = table.iter().map(Vec::len).sum::<usize>();
                    let mean = connections / out.max(1);
                    (vec![connections, kernel.height, kernel.width], mean.saturating_mul(kernel.area()))
                }
            };
            let laws = [conv.weight_law.unwrap_or(scheme.conv), conv.bias_law.unwrap_or(scheme.conv_bias)];
            weight_and_bias(
                dims,
                conv.bias.then_some(out),
                laws,
                Fans { fan_in, fan_out: out.saturating_mul(kernel.area()), kernel: kernel.axes() },
            )
        }
        Op::Linear(linear) => {
            let fans = Fans { fan_in: input.channels(), fan_out: linear.out_features, kernel: [1, 1] };
            let laws = [linear.weight_law.unwrap_or(scheme.linear), linear.bias_law.unwrap_or(scheme.linear_bias)];
            let dims = vec![linear.out_features, input.channels()];
            weight_and_bias(dims, linear.bias.then_some(linear.out_features), laws, fans)
        }
        Op::BatchNorm(_) => vec![
            per_channel("weight", Role::Weight, 1.0),
            per_channel("bias", Role::Bias, 0.0),
            per_channel("running_mean", Role::Statistic, 0.0),
            per_channel("running_var", Role::Statistic, 1.0),
        ],
        Op::ChannelAffine { coefficient } => {
            vec![per_channel("weight", Role::Weight, *coefficient), per_channel("bias", Role::Bias, 0.0)]
        }
        Op::Input
        | Op::Lrn(_)
        | Op::Relu
        | Op::Sigmoid
        | Op::Tanh { .. }
        | Op::Softmax
        | Op::MaxPool(_)
        | Op::AvgPool(_)
        | Op::AdaptiveAvgPool { .. }
        | Op::Flatten
        | Op::Dropout { .. }
        | Op::Scale { .. }
        | Op::ZeroChannels { .. }
        | Op::InputAffine { .. }
        | Op::RadialBasis { .. }
        | Op::Add
        | Op::Concat => Vec::new(),
    }
}
