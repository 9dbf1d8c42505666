//! Nodes that do nothing in evaluation, and so are left out.

use cnn_network::network::Node;
use cnn_network::{Network, Op};

/// For each node the position of the node whose value it gives: its own, unless it passes a value on.
pub(crate) fn origins(network: &Network) -> Vec<usize> {
    let mut origins: Vec<usize> = Vec::with_capacity(network.nodes().len());
    for (index, node) in network.nodes().iter().enumerate() {
        let passed = node.inputs.first().filter(|_| passes_on(network, node));
        origins.push(passed.map_or(index, |input| origins[input.index()]));
    }
    origins
}

fn passes_on(network: &Network, node: &Node) -> bool {
    let [input] = node.inputs[..] else { return false };
    match node.op {
        Op::Dropout { .. } | Op::Add | Op::Concat => true,
        Op::Flatten | Op::AdaptiveAvgPool { .. } | Op::ZeroChannels { .. } => network.node(input).shape == node.shape,
        Op::Input
        | Op::Conv(_)
        | Op::Linear(_)
        | Op::BatchNorm(_)
        | Op::Lrn(_)
        | Op::Relu
        | Op::Sigmoid
        | Op::Tanh { .. }
        | Op::Softmax
        | Op::MaxPool(_)
        | Op::AvgPool(_)
        | Op::Scale { .. }
        | Op::ChannelAffine { .. }
        | Op::InputAffine { .. }
        | Op::RadialBasis { .. } => false,
    }
}
