//! `Summary`: what a network costs, node by node, without a weight being allocated.

mod cost;
mod field;
mod table;

pub(crate) use cost::macs;
pub use field::Field;

use crate::describe::describe;
use crate::network::{Network, Node};
use crate::op::{Kind, Op};
use crate::shape::Shape;
use crate::tensors::{Role, TensorSpec};

/// Bytes of one f32.
const F32: usize = 4;

/// Shapes, parameters, multiply-accumulates, receptive fields and memory of a network.
///
/// `Display` prints it as a table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The network's name.
    pub name: String,
    /// Shape of one input sample.
    pub input: Shape,
    /// One line a node, in order of execution.
    pub nodes: Vec<NodeSummary>,
    /// Trained numbers, auxiliary heads included.
    pub parameters: usize,
    /// Trained numbers of what evaluation needs.
    pub parameters_without_heads: usize,
    /// Multiply-accumulates of the evaluation of one sample: convolutions, linear layers and radial basis
    /// outputs, biases not counted.
    pub macs: usize,
    /// The same with the auxiliary heads.
    pub macs_with_heads: usize,
    /// Convolutions and linear layers that evaluation needs.
    pub layers: usize,
    /// Input positions that one position of the last maps depends on, before they are pooled or flattened to a vector.
    pub receptive_field: Field,
    /// Bytes of the f32 tensors that a file of weights holds: running statistics and heads included.
    pub weights_memory: usize,
    /// Bytes of f32 activations that training keeps for one sample: the output of every node, heads included.
    pub training_memory: usize,
    /// Largest number of bytes of f32 activations alive at once while one sample is evaluated, each value dropped
    /// after its last reader.
    pub inference_memory: usize,
}

/// The line of one node.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NodeSummary {
    /// The node's path.
    pub path: String,
    /// The operation's name, for a reader; [`NodeSummary::kind`] is what to ask.
    pub op: &'static str,
    /// The group of operations it belongs to.
    pub kind: Kind,
    /// The operation with its numbers, for a reader.
    pub description: String,
    /// Shape of one sample's output.
    pub output: Shape,
    /// Trained numbers.
    pub parameters: usize,
    /// Multiply-accumulates for one sample.
    pub macs: usize,
    /// Input positions that one output position depends on.
    pub receptive_field: Field,
    /// Whether only an auxiliary output needs the node.
    pub head: bool,
}

impl Network {
    /// What the network costs.
    pub fn summary(&self) -> Summary {
        let fields = field::receptive_fields(self);
        let nodes: Vec<NodeSummary> =
            self.nodes().iter().zip(fields).map(|(node, field)| self.node_summary(node, field)).collect();
        let total = |with_heads: bool, of: fn(&NodeSummary) -> usize| -> usize {
            nodes.iter().filter(|node| with_heads || !node.head).map(of).fold(0, usize::saturating_add)
        };
        Summary {
            name: self.name().to_string(),
            input: self.input(),
            parameters: total(true, |node| node.parameters),
            parameters_without_heads: total(false, |node| node.parameters),
            macs: total(false, |node| node.macs),
            macs_with_heads: total(true, |node| node.macs),
            layers: nodes.iter().filter(|node| !node.head && node.kind.is_layer()).count(),
            receptive_field: field_of_last_maps(&nodes),
            weights_memory: self.tensors().map(TensorSpec::elements).sum::<usize>() * F32,
            training_memory: total(true, |node| node.output.elements() * F32),
            inference_memory: self.inference_memory(),
            nodes,
        }
    }

    fn node_summary(&self, node: &Node, receptive_field: Field) -> NodeSummary {
        let inputs = self.input_shapes(node);
        NodeSummary {
            path: node.path.clone(),
            op: node.op.name(),
            kind: node.op.kind(),
            description: describe(&node.op, node.shape).full(),
            output: node.shape,
            parameters: node.tensors.iter().filter(|t| t.role != Role::Statistic).map(TensorSpec::elements).sum(),
            macs: inputs
                .first()
                .map_or(0, |input| usize::try_from(macs(&node.op, *input, node.shape)).unwrap_or(usize::MAX)),
            receptive_field,
            head: node.head.is_some(),
        }
    }

    fn inference_memory(&self) -> usize {
        let needed = self.needed_for(&[self.outputs[0].node]);
        let mut last_reader = self.last_readers(&needed);
        let bytes = |id: usize| match self.nodes[id].op {
            // A view of its input.
            Op::Flatten | Op::Dropout { .. } => 0,
            _ => self.nodes[id].shape.elements() * F32,
        };
        // Who reads a view reads what it looks at; the view of an output is kept with it.
        for id in (0..self.nodes.len()).rev().filter(|id| needed[*id] && bytes(*id) == 0) {
            let viewed = self.nodes[id].inputs[0].index();
            last_reader[viewed] = last_reader[id].and_then(|last| last_reader[viewed].map(|own| last.max(own)));
        }
        let mut dropped_after = vec![0; self.nodes.len()];
        for (id, last) in last_reader.iter().enumerate() {
            if let Some(last) = last {
                dropped_after[last.index()] += bytes(id);
            }
        }
        let (mut alive, mut peak) = (0, 0);
        for id in (0..self.nodes.len()).filter(|id| needed[*id]) {
            alive += bytes(id);
            peak = peak.max(alive);
            alive -= dropped_after[id];
        }
        peak
    }
}

/// The field of the last map of more than one position that evaluation makes other than by an adaptive pool, which sees
/// whatever it is given.
fn field_of_last_maps(nodes: &[NodeSummary]) -> Field {
    let maps = nodes.iter().filter(|node| !node.head && node.kind != Kind::AdaptivePool);
    let last = maps.rev().find(|node| node.output.size().is_some_and(|size| size.area() > 1));
    last.map_or(Field { size: 1.into(), jump: 1.into() }, |node| node.receptive_field)
}
