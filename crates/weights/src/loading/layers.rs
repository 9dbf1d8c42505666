//! The layers of a network that depend on what it is used for: those that see its input, and those that make its scores.

use cnn_network::network::{Node, NodeId};
use cnn_network::shape::Shape;
use cnn_network::{Network, Op};

/// For each node whether it makes class scores: the last one with weights before an output, where nothing but
/// operations that keep the channels apart lies between.
pub(super) fn scoring(network: &Network) -> Vec<bool> {
    let mut scoring = vec![false; network.nodes().len()];
    for output in network.outputs() {
        let mut id = output.node;
        loop {
            let node = network.node(id);
            match (&node.op, &node.inputs[..]) {
                (Op::Conv(_) | Op::Linear(_), _) => {
                    scoring[id.index()] = true;
                    break;
                }
                (Op::Add | Op::Concat, _) | (_, []) => break,
                // A normalisation between belongs to the scores as well.
                (_, [input, ..]) => {
                    scoring[id.index()] = true;
                    id = *input;
                }
            }
        }
    }
    scoring
}

/// The layer that makes the main output's scores, as many as it has outputs; none where what comes behind it makes them of
/// something else, as radial basis functions do.
pub(super) fn main_scores<'n>(network: &'n Network, scoring: &[bool]) -> Option<&'n Node> {
    let makes = |(node, scoring): &(&'n Node, &bool)| {
        **scoring && node.head.is_none() && matches!(node.op, Op::Conv(_) | Op::Linear(_))
    };
    let (node, _) = network.nodes().iter().zip(scoring).rev().find(makes)?;
    let scores = network.node(network.outputs().first()?.node).shape.dims().first().copied();
    (node.shape.dims().first().copied() == scores).then_some(node)
}

/// Whether a convolution sees the network's input channels, all of them at once.
pub(super) fn sees_input(network: &Network, node: &Node) -> bool {
    let Op::Conv(conv) = &node.op else { return false };
    let mut id = node.inputs.first().copied();
    let mut before = || {
        let node = network.node(id?);
        id = node.inputs.first().copied();
        Some(node)
    };
    let keeps = |node: &Node| matches!(node.op, Op::InputAffine { .. } | Op::Dropout { .. } | Op::Scale { .. });
    let reaches = loop {
        match before() {
            Some(node) if node.op == Op::Input => break true,
            Some(node) if keeps(node) => {}
            _ => break false,
        }
    };
    reaches && conv.groups == 1 && conv.connections.is_none()
}

/// The feature maps that a linear layer sees as one vector, or a convolution sees.
pub(super) fn maps_before(network: &Network, node: &Node) -> Option<Shape> {
    let mut id: NodeId = *node.inputs.first()?;
    loop {
        let before = network.node(id);
        let keeps = matches!(before.op, Op::Flatten | Op::Dropout { .. } | Op::Relu);
        match (before.shape.size(), &before.inputs[..]) {
            (Some(_), _) => return Some(before.shape),
            (None, [input]) if keeps => id = *input,
            _ => return None,
        }
    }
}
