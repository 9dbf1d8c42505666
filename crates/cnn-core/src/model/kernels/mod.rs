//! Operations on the CPU: what the plans compute with, as custom operations of candle with gradients of their own.
//!
//! candle's tensors are rows of pixels, the kernels want blocks of channels ([`blocks`]); every operation converts what
//! comes and what goes. Convolutions are always computed as they are defined: this is the path that is compared with torch's
//! own f32, and Winograd's rounding errors are twice as large.

mod activation;
mod blocks;
mod custom;
mod norm;
mod operation;

pub(super) use activation::relu;
pub(super) use norm::{affine, batch_norm};
pub(super) use operation::operation;

use crate::op::Op;
use candle_core::{DType, Tensor};

/// Whether the kernels compute on such numbers where they are.
pub(super) fn take(batch: &Tensor) -> bool {
    batch.device().is_cpu() && matches!(batch.dtype(), DType::F32 | DType::F64)
}

/// Whether an operation is one of the plans' that is worth a conversion to blocks and back.
pub(super) fn has(op: &Op) -> bool {
    match op {
        Op::Conv(_) | Op::Linear(_) | Op::Lrn(_) | Op::AvgPool(_) | Op::AdaptiveAvgPool { .. } => true,
        // A maximum's tap is remembered in a byte.
        Op::MaxPool(window) => window.kernel.area() <= 256,
        _ => false,
    }
}
