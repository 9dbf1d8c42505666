//! Receptive fields: how far an output position sees.

use crate::network::Network;
use crate::op::Op;
use crate::shape::{Pair, Shape, Window, adaptive_spans};

/// The input positions one output position depends on, and how far apart those of two neighbours lie.
///
/// As in the papers the field is counted on an unbounded input: it may exceed the image. It doubles with every stride of
/// 2, so in a chain of strides on maps of a single pixel it may pass what can be counted; it is then [`usize::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Height and width of the field.
    pub size: Pair,
    /// Input positions between the fields of two neighbouring outputs.
    pub jump: Pair,
}

impl Field {
    fn map(self, grow: impl Fn(usize, usize, usize) -> (usize, usize)) -> Self {
        let [size, jump] = [self.size.axes(), self.jump.axes()];
        let axes = [0, 1].map(|axis| grow(axis, size[axis], jump[axis]));
        Self { size: [axes[0].0, axes[1].0].into(), jump: [axes[0].1, axes[1].1].into() }
    }

    fn through(self, window: &Window) -> Self {
        let axes = window.axes();
        self.map(|axis, size, jump| grown(size, axes[axis].extent(), jump, axes[axis].stride))
    }
}

/// Size and jump after a window of `extent` positions of the last map, moved by `stride` of them.
fn grown(size: usize, extent: usize, jump: usize, stride: usize) -> (usize, usize) {
    (size.saturating_add((extent - 1).saturating_mul(jump)), jump.saturating_mul(stride))
}

/// The field of every node, in the order of the nodes.
pub(super) fn receptive_fields(network: &Network) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::with_capacity(network.nodes().len());
    for node in network.nodes() {
        let inputs = node.inputs.iter().map(|input| fields[input.index()]);
        let Some(widest) = inputs.reduce(|a, b| Field {
            size: [a.size.height.max(b.size.height), a.size.width.max(b.size.width)].into(),
            jump: a.jump,
        }) else {
            fields.push(Field { size: 1.into(), jump: 1.into() });
            continue;
        };
        let input = network.input_shapes(node)[0];
        fields.push(match &node.op {
            Op::Conv(conv) => widest.through(&conv.window),
            Op::MaxPool(window) => widest.through(window),
            Op::AvgPool(pool) => widest.through(&pool.window),
            Op::AdaptiveAvgPool { output } => adaptive(widest, input, *output),
            Op::Flatten => adaptive(widest, input, 1.into()),
            Op::Input
            | Op::Linear(_)
            | Op::BatchNorm(_)
            | Op::Lrn(_)
            | Op::Relu
            | Op::Sigmoid
            | Op::Tanh { .. }
            | Op::Softmax
            | Op::Dropout { .. }
            | Op::Scale { .. }
            | Op::ZeroChannels { .. }
            | Op::ChannelAffine { .. }
            | Op::InputAffine { .. }
            | Op::RadialBasis { .. }
            | Op::Add
            | Op::Concat => widest,
        });
    }
    fields
}

/// The field of the widest window when the input is shared out among `output` windows.
fn adaptive(field: Field, input: Shape, output: Pair) -> Field {
    let Some(input) = input.size() else { return field };
    field.map(|axis, size, jump| {
        let (n, out) = (input.axes()[axis], output.axes()[axis]);
        let widest = adaptive_spans(n, out).iter().map(|span| span.end - span.start).max().unwrap_or(1);
        grown(size, widest, jump, (n / out).max(1))
    })
}
