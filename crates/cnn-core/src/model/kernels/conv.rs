//! Convolution by the kernels, always as it is defined: this is the path that is held to torch's own f32. Winograd's
//! algorithm, whose rounding errors are twice as large, is for the planned step.

use super::blocks::{Blocks, place};
use super::custom::{Kernel, Rows, apply};
use crate::op;
use candle_core::{Result, Tensor};
use cnn_kernels::{Algorithm, Conv, Element, InstructionSet, Place, Sink, Store, loss};

/// The convolution of `x` `(N, C, H, W)` with dense weights.
pub(in crate::model) fn conv(op: &op::Conv, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let conv = op.kernel(x.dim(1)?, weight.dim(0)?);
    match bias {
        Some(bias) => apply(conv, &[x, weight, bias]),
        None => apply(conv, &[x, weight]),
    }
}

impl op::Conv {
    /// The kernel that computes it, of dense weights, between so many channels.
    pub fn kernel(&self, in_channels: usize, out_channels: usize) -> Conv {
        Conv {
            in_channels,
            out_channels,
            groups: self.groups,
            kernel: self.window.kernel.axes(),
            stride: self.window.stride.axes(),
            padding: self.window.padding.axes(),
            dilation: self.window.dilation.axes(),
        }
    }
}

/// Arguments: input, weights, and a bias or none.
impl Kernel for Conv {
    const NAME: &'static str = "convolution";

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let x = Blocks::of(&args[0]);
        let size = self.output([x.place.height, x.place.width]).unwrap_or_default();
        let mut y = Blocks::empty(Place::new(x.place.batch, self.out_channels, size));
        let bias = args.get(2).map(|bias| bias.data);
        let sink = Sink::Store(Store { bias, ..Store::plain(&mut y.data, y.place) });
        self.forward_by(Algorithm::Direct, set, &x.view(), args[1].data, sink);
        (y.rows(), vec![y.place.batch, self.out_channels, size[0], size[1]])
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
            self.backward_input_by(Algorithm::Direct, set, &gradient.view(), args[1].data, input.sink());
            input.rows()
        });
        let weights = wanted[1].then(|| {
            let mut weights = vec![T::ZERO; self.weights()];
            let input = Blocks::of(&args[0]);
            self.backward_weights_by(Algorithm::Direct, set, &input.view(), &gradient.view(), &mut weights);
            weights
        });
        let bias = wanted.get(2) == Some(&true);
        let bias = bias.then(|| loss::channel_sums(set, &gradient.view()).into_iter().map(T::from_f64).collect());
        vec![input, weights, bias]
    }
}
