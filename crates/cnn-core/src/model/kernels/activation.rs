//! ReLU: it asks for no blocks, so rows do.

use super::custom::{Kernel, Rows, apply};
use candle_core::{Result, Tensor};
use cnn_kernels::{Element, InstructionSet};

/// `max(x, 0)` with gradient 0 at 0, and NaN where `x` is NaN.
pub(in crate::model) fn relu(x: &Tensor) -> Result<Tensor> {
    apply(Relu, &[x])
}

struct Relu;

impl Kernel for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn forward<T: Element>(&self, _: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let values = args[0].data.iter().map(|x| if *x <= T::ZERO { T::ZERO } else { *x });
        (values.collect(), args[0].dims.to_vec())
    }

    fn backward<T: Element>(
        &self,
        _: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        _: &[bool],
    ) -> Vec<Option<Vec<T>>> {
        let pairs = args[0].data.iter().zip(gradient.data);
        vec![Some(pairs.map(|(x, g)| if *x <= T::ZERO { T::ZERO } else { *g }).collect())]
    }
}
