//! Operations on the CPU: the kernels as custom operations of candle, with gradients of their own.
//!
//! candle's tensors are rows of pixels, the kernels want blocks of channels ([`blocks`]); every operation converts what
//! comes and what goes. An operation is a [`Kernel`](custom::Kernel) on plain slices, and [`custom`] is all that knows
//! candle.

mod activation;
mod blocks;
mod conv;
mod custom;
mod linear;
mod lrn;
mod norm;
mod pool;

pub(super) use activation::relu;
pub(super) use conv::conv;
pub(super) use linear::linear;
pub(super) use lrn::local_response;
pub(super) use norm::{affine, batch_norm};
pub use pool::adaptive_windows;
pub(super) use pool::{adaptive_avg_pool, avg_pool, fits, max_pool};

use candle_core::{DType, Tensor};

/// Whether the kernels compute on such numbers where they are.
pub(super) fn take(batch: &Tensor) -> bool {
    batch.device().is_cpu() && matches!(batch.dtype(), DType::F32 | DType::F64)
}
