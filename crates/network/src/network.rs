//! The elaborated network: flat, named, shaped, immutable.

use crate::error::{Error, Result, near_names};
use crate::op::Op;
use crate::shape::{Pair, Shape, Window};
use crate::tensors::TensorSpec;
use std::collections::BTreeMap;

/// Position of a node in [`Network::nodes`]. It says nothing of another network, or of the same one at another input or
/// without its heads: [`Network::find`] gives the position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// The position itself.
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operation in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique name, for example `layer1.0.conv1`.
    pub path: String,
    /// What is computed.
    pub op: Op,
    /// Where the inputs come from; always earlier nodes.
    pub inputs: Vec<NodeId>,
    /// Shape of one sample's output.
    pub shape: Shape,
    /// The tensors this operation owns, in the order weight, bias, running mean, running variance.
    pub tensors: Vec<TensorSpec>,
    /// For a node that only an auxiliary output needs, that output's position in [`Network::outputs`].
    pub head: Option<usize>,
}

/// An output of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// `logits` for the main output, the head's label for an auxiliary one.
    pub name: String,
    /// The node whose value it is.
    pub node: NodeId,
    /// 1 for the main output; for a head the weight its source gives its loss.
    pub loss_weight: f64,
}

/// A network at a fixed input size: nodes in an order in which they can run.
///
/// It holds no tensor, device, closure, file or trait object, and nothing rewrites it. Made by
/// [`Architecture::at`](crate::Architecture::at).
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub(crate) name: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) paths: BTreeMap<String, NodeId>,
    pub(crate) left_out_heads: Vec<String>,
}

impl Network {
    /// The architecture's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Shape of one input sample.
    pub fn input(&self) -> Shape {
        self.nodes[0].shape
    }

    /// All nodes, each after its inputs; the first is the input.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The position of every node, in the order of [`Network::nodes`].
    pub fn ids(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// The main output, then the auxiliary ones in the order of the definition.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Paths of the auxiliary heads that the architecture has, and this network was made without.
    pub fn left_out_heads(&self) -> &[String] {
        &self.left_out_heads
    }

    /// The node at this position.
    ///
    /// # Panics
    ///
    /// Where it is behind the last node: see [`Network::check_nodes`].
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The node of the main output.
    pub fn output(&self) -> &Node {
        self.node(self.outputs[0].node)
    }

    /// The node of this path; see [`Network::find`].
    ///
    /// # Errors
    ///
    /// A path of no node, with those that are like it.
    pub fn node_at(&self, path: &str) -> Result<&Node> {
        Ok(self.node(self.find(path)?))
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&TensorSpec> {
        self.tensors().find(|tensor| tensor.name == name)
    }

    /// Shapes of a node's inputs.
    pub fn input_shapes(&self, node: &Node) -> Vec<Shape> {
        node.inputs.iter().map(|input| self.node(*input).shape).collect()
    }

    /// The node of this path: an operation's, or a labelled chain's, sum's or concat's last output.
    ///
    /// # Errors
    ///
    /// A path of no node, with those that are like it.
    pub fn find(&self, path: &str) -> Result<NodeId> {
        self.paths.get(path).copied().ok_or_else(|| Error::UnknownNode {
            network: self.name.clone(),
            path: path.to_string(),
            near: near_names(path, self.paths.keys().map(String::as_str)),
        })
    }

    /// Every path [`Network::find`] knows, with its node.
    pub fn paths(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.paths.iter().map(|(path, id)| (path.as_str(), *id))
    }

    /// Every tensor, in the order of the nodes.
    pub fn tensors(&self) -> impl Iterator<Item = &TensorSpec> {
        self.nodes.iter().flat_map(|node| &node.tensors)
    }

    /// For each node the last of the `needed` nodes that reads it, if any: when its value can be dropped.
    pub fn last_readers(&self, needed: &[bool]) -> Vec<Option<NodeId>> {
        let mut last = vec![None; self.nodes.len()];
        for (reader, node) in self.nodes.iter().enumerate().filter(|(reader, _)| needed[*reader]) {
            for input in &node.inputs {
                last[input.0] = Some(NodeId(reader));
            }
        }
        last
    }

    /// What the last layer with weights before the main output reads: the features of an image. Without such a layer,
    /// the input.
    pub fn feature_node(&self) -> NodeId {
        let mut id = self.outputs[0].node;
        loop {
            let node = self.node(id);
            match (&node.op, &node.inputs[..]) {
                (_, []) => return id,
                (Op::Conv(_) | Op::Linear(_), [input, ..]) => return *input,
                (_, [input, ..]) => id = *input,
            }
        }
    }

    /// Whether a node gives probabilities: a softmax, or one that has only been flattened, averaged over all places of a map
    /// or gone through dropout since.
    ///
    /// # Panics
    ///
    /// Where it is behind the last node: see [`Network::check_nodes`].
    pub fn gives_probabilities(&self, id: NodeId) -> bool {
        self.softmax_of(id).is_some()
    }

    /// The node of the scores whose softmax are the probabilities of the classes: the main output, or, where that gives
    /// probabilities already, what its softmax reads. A mean of probabilities over the places of a map is the softmax of
    /// no node: there it is the main output too.
    pub fn score_node(&self) -> NodeId {
        let output = self.outputs[0].node;
        let read = self.softmax_of(output).map(|softmax| self.node(softmax).inputs[0]);
        let elements = self.node(output).shape.elements();
        read.filter(|read| self.node(*read).shape.elements() == elements).unwrap_or(output)
    }

    /// The softmax whose numbers a node gives, or their means over all places of a map, if it gives any.
    fn softmax_of(&self, mut id: NodeId) -> Option<NodeId> {
        loop {
            let node = self.node(id);
            let (op, [input, others @ ..]) = (&node.op, &node.inputs[..]) else { return None };
            let read = self.node(*input).shape;
            match op {
                Op::Softmax => return Some(id),
                Op::Dropout { .. } => id = *input,
                Op::Add | Op::Concat if others.is_empty() => id = *input,
                Op::Flatten | Op::AdaptiveAvgPool { .. } | Op::ZeroChannels { .. } if node.shape == read => id = *input,
                // Of a map of several places each place has probabilities of its own.
                Op::Flatten | Op::AdaptiveAvgPool { .. } if node.shape.elements() == read.channels() => id = *input,
                Op::AvgPool(pool) if takes_all(&pool.window, read) => id = *input,
                _ => return None,
            }
        }
    }

    /// Whether there are nodes at these positions.
    ///
    /// # Errors
    ///
    /// The first position behind the last node: it is another network's.
    pub fn check_nodes(&self, ids: &[NodeId]) -> Result<()> {
        match ids.iter().find(|id| id.0 >= self.nodes.len()) {
            None => Ok(()),
            Some(id) => Err(Error::OtherNode { network: self.name.clone(), position: id.0, nodes: self.nodes.len() }),
        }
    }

    /// For each node whether one of `targets` needs it.
    ///
    /// # Panics
    ///
    /// Where a target is behind the last node: see [`Network::check_nodes`].
    pub fn needed_for(&self, targets: &[NodeId]) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for target in targets {
            needed[target.0] = true;
        }
        for id in (0..self.nodes.len()).rev() {
            if needed[id] {
                for input in &self.nodes[id].inputs {
                    needed[input.0] = true;
                }
            }
        }
        needed
    }
}

/// Whether a window covers a whole map, and nothing beside it.
fn takes_all(window: &Window, map: Shape) -> bool {
    map.size() == Some(window.kernel) && window.padding == Pair::from(0) && window.dilation == Pair::from(1)
}
