//! Dropout whose masks come from a seed.

use crate::dropout_mask;
use candle_core::{DType, Result, Tensor};
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
        let (shape, device) = (x.shape(), x.device());
        let mask = match x.dtype() {
            DType::F64 => Tensor::from_vec(mask, shape, device)?,
            // Not every device has numbers of 64 bits.
            dtype => {
                let mask: Vec<f32> = mask.into_iter().map(|factor| factor as f32).collect();
                Tensor::from_vec(mask, shape, device)?.to_dtype(dtype)?
            }
        };
        x * mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn what_is_kept_is_scaled_in_the_numbers_it_is_of() {
        let x = Tensor::ones(64, DType::F64, &Device::Cpu).unwrap();
        let dropped = Dropout::new(1, 0).next_pass().drop(&x, 0.3, "dropout").unwrap().to_vec1::<f64>().unwrap();
        assert!(dropped.contains(&0.0) && dropped.contains(&(1.0 / 0.7)));
        assert!(dropped.iter().all(|x| [0.0, 1.0 / 0.7].contains(x)), "{dropped:?}");
    }
}
