//! Multiply-accumulates of an operation.

use crate::op::Op;
use crate::shape::Shape;

/// Multiply-accumulates for one sample, [`u128::MAX`] if there are more; only convolutions, linear layers and radial
/// basis functions count.
pub(crate) fn macs(op: &Op, input: Shape, output: Shape) -> u128 {
    let product = |factors: [usize; 3]| factors.into_iter().fold(1, |all: u128, n| all.saturating_mul(n as u128));
    match op {
        Op::Conv(conv) => {
            let positions = output.size().map_or(1, |size| size.area());
            let pairs_of_maps = match &conv.connections {
                Some(table) => table.iter().map(Vec::len).sum(),
                None => output.channels().saturating_mul(input.channels() / conv.groups),
            };
            product([positions, conv.window.kernel.area(), pairs_of_maps])
        }
        Op::Linear(_) | Op::RadialBasis { .. } => product([input.elements(), output.elements(), 1]),
        Op::Input
        | Op::BatchNorm(_)
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
        | Op::ChannelAffine { .. }
        | Op::InputAffine { .. }
        | Op::Add
        | Op::Concat => 0,
    }
}
