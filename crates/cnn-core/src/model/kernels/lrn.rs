//! Local response normalisation by the kernels.

use super::blocks::Blocks;
use super::custom::{Kernel, Rows, apply};
use crate::op;
use candle_core::{Result, Tensor};
use cnn_kernels::{Element, InstructionSet, Lrn};

/// `y = x / (k + α Σ x²)^β` across channels.
pub(in crate::model) fn local_response(op: &op::Lrn, x: &Tensor) -> Result<Tensor> {
    apply(Lrn::from(op), &[x])
}

impl From<&op::Lrn> for Lrn {
    fn from(op: &op::Lrn) -> Self {
        Self { size: op.size, alpha: op.alpha, beta: op.beta, k: op.k }
    }
}

impl Kernel for Lrn {
    const NAME: &'static str = "local response normalisation";

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let x = Blocks::of(&args[0]);
        let mut y = Blocks::empty(x.place);
        self.forward(set, &x.view(), y.sink());
        (y.rows(), args[0].dims.to_vec())
    }

    fn backward<T: Element>(
        &self,
        set: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        _: &[bool],
    ) -> Vec<Option<Vec<T>>> {
        let x = Blocks::of(&args[0]);
        let mut back = Blocks::empty(x.place);
        self.backward(set, &x.view(), &Blocks::of(gradient).view(), back.sink());
        vec![Some(back.rows())]
    }
}
