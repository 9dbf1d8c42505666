//! How large a network may be: what it holds and computes can be counted without overflow.

use crate::error::Result;
use crate::numbers::require;
use crate::op::Op;
use crate::shape::Shape;
use crate::summary::macs;
use crate::tensors::TensorSpec;

/// The greatest height and width of a map, whole numbers up to which f32 tells apart.
const LARGEST_AXIS: usize = 1 << 24;

/// The most numbers of all outputs of one sample and all tensors together: 16 TiB in f32. Sizes in bytes, times the
/// samples of a batch, then stay in range.
const LARGEST_NUMBERS: u128 = if usize::BITS < 64 { usize::MAX as u128 >> 5 } else { 1 << 42 };

/// The most multiply-accumulates of one sample: ten years at 10⁹·3.6 a second.
const LARGEST_WORK: u128 = 1 << 60;

/// What the nodes so far hold and compute.
#[derive(Default)]
pub(crate) struct Size {
    numbers: u128,
    work: u128,
}

impl Size {
    /// Adds the node at `path`; refuses the one with which the network becomes too large.
    pub(crate) fn add(
        &mut self,
        op: &Op,
        path: &str,
        input: Shape,
        output: Shape,
        tensors: &[TensorSpec],
    ) -> Result<()> {
        let product = |dims: &[usize]| dims.iter().fold(1, |product: u128, n| product.saturating_mul(*n as u128));
        let of_tensors = tensors.iter().map(|tensor| product(&tensor.dims));
        self.numbers = of_tensors.fold(self.numbers.saturating_add(product(&output.dims())), u128::saturating_add);
        self.work = self.work.saturating_add(macs(op, input, output));
        let axis = output.size().map_or(0, |size| size.height.max(size.width));
        let computable = axis <= LARGEST_AXIS && self.numbers <= LARGEST_NUMBERS && self.work <= LARGEST_WORK;
        require(computable, path, || {
            format!("{} of {input} to {output} is larger than anything that can be computed", op.name())
        })
    }
}
