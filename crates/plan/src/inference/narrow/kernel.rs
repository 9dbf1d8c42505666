//! Which steps have a kernel of narrow numbers, and as which convolution.

use super::number::Narrow;
use crate::inference::lower::{Step, Work};
use crate::operation::Operation;
use cnn_kernels::Conv;

/// Why a step has no kernel of narrow numbers; nothing where it has one.
pub(super) fn has_no_kernel<F: Narrow>(step: &Step) -> Option<&'static str> {
    match &step.work {
        Work::Conv { .. } | Work::Linear { .. } => {
            (!F::fits(&as_conv(step))).then_some("a sum of so many products may exceed 32 bits")
        }
        Work::Sum { .. } if step.inputs.len() > 2 => Some("a sum of more than two"),
        Work::Sum { .. } if step.inputs.get(1).is_some_and(|second| !second.map.is_none()) => {
            Some("a sum of normalised maps")
        }
        Work::Sum { .. } | Work::Other(Operation::MaxPool(_) | Operation::AveragePool(_)) => None,
        Work::Other(_) => Some("no kernel of narrow numbers"),
    }
}

/// The convolution that a step computes: of a linear layer one whose kernel is as large as the map, so a map taken channel
/// by channel is seen.
pub(super) fn as_conv(step: &Step) -> Conv {
    match &step.work {
        Work::Conv { conv, .. } => *conv,
        _ => Conv {
            in_channels: step.inputs[0].channels,
            out_channels: step.output.channels,
            groups: 1,
            kernel: step.inputs[0].size,
            stride: [1; 2],
            padding: [0; 2],
            dilation: [1; 2],
        },
    }
}
