//! Pools by the kernels.

use super::blocks::{Blocks, place};
use super::custom::{Kernel, Rows, apply};
use crate::op::AvgPool;
use crate::shape::{self, Axis, Pair, Window, adaptive_spans};
use candle_core::{Result, Tensor};
use cnn_kernels::pool::{Average, Max, Span};
use cnn_kernels::{Element, InstructionSet, LANES, Place};
use std::sync::OnceLock;

/// Whether the kernels remember a window's maximum: its tap takes a byte.
pub(in crate::model) fn fits(window: &Window) -> bool {
    window.kernel.area() <= 256
}

/// Maximum under a window. The whole gradient goes to the first maximum in row-major order, as in torch.
pub(in crate::model) fn max_pool(window: &Window, x: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    let output = window.output(Pair { height, width }).map_or([0, 0], Pair::axes);
    apply(MaxPool { max: Max::from(window), output, winners: OnceLock::new() }, &[x])
}

/// Mean under a window.
pub(in crate::model) fn avg_pool(op: &AvgPool, x: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    apply(op.windows([height, width]), &[x])
}

/// Mean over windows that share out the input.
pub(in crate::model) fn adaptive_avg_pool(output: Pair, x: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    apply(adaptive_windows(output, [height, width]), &[x])
}

impl From<&Window> for Max {
    fn from(window: &Window) -> Self {
        Self {
            kernel: window.kernel.axes(),
            stride: window.stride.axes(),
            padding: window.padding.axes(),
            dilation: window.dilation.axes(),
        }
    }
}

impl AvgPool {
    /// Its windows over maps of this height and width.
    pub fn windows(&self, input: [usize; 2]) -> Average {
        let axes: [Axis; 2] = self.window.axes();
        let windows = |i: usize| {
            let spans = (0..axes[i].output(input[i]).unwrap_or(0)).map(|o| axes[i].span(o, input[i]));
            let divisor = |s: &shape::Span| if self.count_padding { s.padded } else { s.end - s.start };
            spans.map(|s| Span { start: s.start, end: s.end, divisor: divisor(&s) }).collect()
        };
        Average { spans: [windows(0), windows(1)] }
    }
}

/// The windows of an adaptive average pool over maps of this height and width.
pub fn adaptive_windows(output: Pair, input: [usize; 2]) -> Average {
    let output = output.axes();
    let windows = |i: usize| {
        let spans = adaptive_spans(input[i], output[i]).into_iter();
        spans.map(|s| Span { start: s.start, end: s.end, divisor: s.end - s.start }).collect()
    };
    Average { spans: [windows(0), windows(1)] }
}

impl Kernel for Average {
    const NAME: &'static str = "average pool";

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let x = Blocks::of(&args[0]);
        let size = [self.spans[0].len(), self.spans[1].len()];
        let mut y = Blocks::empty(Place::new(x.place.batch, x.place.channels, size));
        self.forward(set, &x.view(), y.sink());
        (y.rows(), vec![x.place.batch, x.place.channels, size[0], size[1]])
    }

    fn backward<T: Element>(
        &self,
        set: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        _: &[bool],
    ) -> Vec<Option<Vec<T>>> {
        let mut back = Blocks::empty(place(args[0].dims));
        self.backward(set, &Blocks::of(gradient).view(), back.sink());
        vec![Some(back.rows())]
    }
}

/// One application of a max pool.
struct MaxPool {
    max: Max,
    output: [usize; 2],
    /// The tap each maximum was at.
    winners: OnceLock<Vec<u8>>,
}

impl MaxPool {
    fn run<T: Element>(&self, set: InstructionSet, x: &Rows<'_, T>) -> (Blocks<T>, Vec<u8>) {
        let x = Blocks::of(x);
        let mut y = Blocks::empty(Place::new(x.place.batch, x.place.channels, self.output));
        let mut winners = vec![0; y.place.batch * y.place.blocks() * y.place.pixels() * LANES];
        self.max.forward(set, &x.view(), y.sink(), &mut winners);
        (y, winners)
    }
}

impl Kernel for MaxPool {
    const NAME: &'static str = "max pool";

    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>) {
        let (y, winners) = self.run(set, &args[0]);
        self.winners.get_or_init(|| winners);
        (y.rows(), vec![y.place.batch, y.place.channels, y.place.height, y.place.width])
    }

    fn backward<T: Element>(
        &self,
        set: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        _: &[bool],
    ) -> Vec<Option<Vec<T>>> {
        let winners = self.winners.get_or_init(|| self.run(set, &args[0]).1);
        let mut back = Blocks::empty(place(args[0].dims));
        self.max.backward(set, &Blocks::of(gradient).view(), winners, back.sink());
        vec![Some(back.rows())]
    }
}
