//! Dropout whose masks come from a seed.

use crate::dropout_mask;
use candle_core::{Result, Tensor};
use std::sync::atomic::{AtomicU64, Ordering};

/// The seed and the number of training passes so far.
#[derive(Debug, Default)]
pub(super) struct Dropout {
    seed: u64,
    passes: AtomicU64,
}

/// One training pass: what the masks of its dropout nodes are drawn from.
pub(super) struct Pass {
    seed: u64,
    number: u64,
}

impl Dropout {
    pub(super) fn new(seed: u64, passes: u64) -> Self {
        Self { seed, passes: AtomicU64::new(passes) }
    }

    pub(super) fn next_pass(&self) -> Pass {
        Pass { seed: self.seed, number: self.passes.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Pass {
    /// `x` with every element zero with probability `rate`, the rest times `1 / (1 − rate)`.
    pub(super) fn drop(&self, x: &Tensor, rate: f64, path: &str) -> Result<Tensor> {
        let mask = dropout_mask(self.seed, self.number, path, rate, x.elem_count());
        x * Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?
    }
}
