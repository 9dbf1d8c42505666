//! Multiply-accumulates of an operation.

use crate::op::Op;
use crate::shape::Shape;

/// Multiply-accumulates for one sample; only convolutions, linear layers and radial basis functions count.
pub(super) fn macs(op: &Op, input: Shape, output: Shape) -> usize {
    match op {
        Op::Conv(conv) => {
            let positions = output.size().map_or(1, |size| size.area());
            let pairs_of_maps = match &conv.connections {
                Some(table) => table.iter().map(Vec::len).sum(),
                None => output.channels() * (input.channels() / conv.groups),
            };
            positions * conv.window.kernel.area() * pairs_of_maps
        }
        Op::Linear(_) | Op::RadialBasis { .. } => input.elements() * output.elements(),
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
