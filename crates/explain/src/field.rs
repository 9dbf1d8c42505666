//! Which pixels a unit sees.

use crate::error::{Error, Result};
use cnn_network::network::NodeId;
use cnn_network::shape::{Axis, Pair, adaptive_spans};
use cnn_network::{Network, Op};
use std::ops::Range;

/// Rows and columns of the image that a unit depends on; what padding adds is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Rows, from the top.
    pub rows: Range<usize>,
    /// Columns, from the left.
    pub columns: Range<usize>,
}

/// The part of the image that the unit at a row and a column of a node depends on, whatever its channel: the smallest
/// rectangle around it. It is followed back through every way from the node to the input, so strides, paddings and
/// dilations are those of the network, and a receptive field at the edge is cut off there.
///
/// # Errors
///
/// A place that the node does not have, a node of another network.
pub fn seen(network: &Network, node: NodeId, [row, column]: [usize; 2]) -> Result<Seen> {
    network.check_nodes(&[node])?;
    let shape = network.node(node).shape;
    let [height, width] = shape.size().map_or([1, 1], Pair::axes);
    if row >= height || column >= width {
        let (name, path) = (network.name().to_string(), network.node(node).path.clone());
        return Err(Error::Place { network: name, node: path, shape, channel: 0, row, column });
    }
    let mut wanted: Vec<Option<[Range<usize>; 2]>> = vec![None; network.nodes().len()];
    wanted[node.index()] = Some([row..row + 1, column..column + 1]);
    for id in (0..=node.index()).rev() {
        let here = &network.nodes()[id];
        let Some(places) = wanted[id].clone() else { continue };
        for input in &here.inputs {
            let size = network.node(*input).shape.size().map_or([1, 1], Pair::axes);
            let read = [0, 1].map(|axis| before(&here.op, axis, &places[axis], size[axis]));
            let all = &mut wanted[input.index()];
            *all = Some(match all.take() {
                None => read,
                Some(other) => [0, 1].map(|axis| joined(&other[axis], &read[axis])),
            });
        }
    }
    let [rows, columns] = wanted[0].clone().unwrap_or([0..0, 0..0]);
    Ok(Seen { rows, columns })
}

/// The places among `0..n` along an axis of the input that an operation reads for some places of its output.
fn before(op: &Op, axis: usize, places: &Range<usize>, n: usize) -> Range<usize> {
    let under = |axis: Axis| {
        let start = axis.start(places.start);
        let end = axis.start(places.end - 1).saturating_add_unsigned(axis.extent());
        let clip = |at: isize| usize::try_from(at).unwrap_or(0).min(n);
        clip(start)..clip(end)
    };
    if places.is_empty() {
        // What sees only padding depends on nothing.
        return 0..0;
    }
    match op {
        Op::Conv(conv) => under(conv.window.axes()[axis]),
        Op::MaxPool(window) => under(window.axes()[axis]),
        Op::AvgPool(pool) => under(pool.window.axes()[axis]),
        Op::AdaptiveAvgPool { output } => {
            let spans = adaptive_spans(n, output.axes()[axis]);
            spans[places.start].start..spans[places.end - 1].end
        }
        Op::Flatten => 0..n,
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
        | Op::Concat => places.clone(),
    }
}

/// What spans both; an empty range, of a unit that sees only padding, spans nothing.
fn joined(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.clone(),
        (_, true) => a.clone(),
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}
