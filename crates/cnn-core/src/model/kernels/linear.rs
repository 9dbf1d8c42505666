//! Linear layers by the kernels.

use super::blocks::{Blocks, place};
use super::custom::{Kernel, Rows, apply};
use candle_core::{Result, Tensor};
use cnn_kernels::{Element, InstructionSet, Linear, Place, Sink, Store};

/// `x · weightᵀ + bias` of `x` `(N, F)`.
pub(in crate::model) fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (out_features, in_features) = weight.dims2()?;
    let linear = Linear { in_features, out_features };
    match bias {
        Some(bias) => apply(linear, &[x, weight, bias]),
        None => apply(linear, &[x, weight]),
    }
}

/// Arguments: input, weights, and a bias or none.
impl Kernel for Linear {
    const NAME: &'static str = "linear layer";

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let x = Blocks::of(&args[0]);
        let mut y = Blocks::empty(Place::new(x.place.batch, self.out_features, [1, 1]));
        let bias = args.get(2).map(|bias| bias.data);
        let sink = Sink::Store(Store { bias, ..Store::plain(&mut y.data, y.place) });
        self.forward(set, &x.view(), args[1].data, sink);
        (y.rows(), vec![y.place.batch, self.out_features])
    }

    fn backward<T: Element>(
        &self,
        set: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        wanted: &[bool],
    ) -> Vec<Option<Vec<T>>> {
        let gradient = Blocks::of(gradient);
        let input = wanted[0].then(|| {
            let mut input = Blocks::empty(place(args[0].dims));
            self.backward_input(set, &gradient.view(), args[1].data, input.sink());
            input.rows()
        });
        let weights = wanted[1].then(|| {
            let mut weights = vec![T::ZERO; self.weights()];
            self.backward_weights(set, &Blocks::of(&args[0]).view(), &gradient.view(), &mut weights);
            weights
        });
        let bias = (wanted.get(2) == Some(&true)).then(|| {
            let mut bias = vec![T::ZERO; self.out_features];
            self.backward_bias(set, &gradient.view(), &mut bias);
            bias
        });
        vec![input, weights, bias]
    }
}
