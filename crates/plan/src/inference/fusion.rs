//! Which nodes become one step: a convolution or a linear layer with the normalisation, the sum and the ReLU behind it.

use cnn_network::network::NodeId;
use cnn_network::{Network, Op};

/// What a node is, seen from the steps.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Nothing needs it.
    Unneeded,
    /// It begins a step of its own: the scales and shifts folded into its weights, the sum and the ReLU that follow.
    Head(Chain),
    /// It belongs to the step that an earlier node begins.
    Inner,
    /// A scale, a shift or a floor, applied where it is read.
    Map,
    /// Its input's value as it is.
    Alias,
}

/// What follows a head within its step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chain {
    /// Nodes that scale and shift channels, in their order.
    pub(super) affines: Vec<usize>,
    /// The other term of a sum.
    pub(super) residual: Option<usize>,
    /// Whether it ends in a ReLU.
    pub(super) relu: bool,
    /// The node whose value the step writes.
    pub(super) end: usize,
}

/// Parts of a network's nodes.
#[derive(Clone, Debug)]
pub(super) struct Fusion {
    pub(super) parts: Vec<Part>,
    /// For each node that ends a step the node it begins with.
    pub(super) heads: Vec<Option<usize>>,
}

struct Fusing<'n> {
    network: &'n Network,
    targets: &'n [NodeId],
    readers: Vec<Vec<usize>>,
    fusion: Fusion,
    /// Values there are before the node that is looked at, as they are in memory.
    plain: Vec<bool>,
}

/// Decides which nodes become one step.
pub(super) fn fuse(network: &Network, targets: &[NodeId]) -> Fusion {
    let (count, needed) = (network.nodes().len(), network.needed_for(targets));
    let mut readers = vec![Vec::new(); count];
    for (id, node) in network.nodes().iter().enumerate().filter(|(id, _)| needed[*id]) {
        node.inputs.iter().for_each(|input| readers[input.index()].push(id));
    }
    let parts = needed.iter().map(|needed| if *needed { Part::Alias } else { Part::Unneeded }).collect();
    let fusion = Fusion { parts, heads: vec![None; count] };
    let mut fusing = Fusing { network, targets, readers, fusion, plain: vec![false; count] };
    let mut seen = vec![false; count];
    for id in (0..count).filter(|id| needed[*id]) {
        if !seen[id] {
            fusing.node(id, &mut seen);
        }
    }
    fusing.fusion
}

impl Fusing<'_> {
    fn node(&mut self, id: usize, seen: &mut [bool]) {
        let node = &self.network.nodes()[id];
        let input = node.inputs.first().map(|input| input.index());
        match &node.op {
            Op::Dropout { .. } => {
                self.plain[id] = input.is_some_and(|input| self.plain[input]);
                self.fusion.parts[id] = Part::Alias;
            }
            Op::BatchNorm(_) | Op::ChannelAffine { .. } | Op::Scale { .. } | Op::InputAffine { .. } | Op::Relu => {
                self.fusion.parts[id] = Part::Map;
            }
            op => {
                let chain = match op {
                    Op::Conv(_) | Op::Linear(_) => self.chain(id, matches!(op, Op::Conv(_)), seen),
                    Op::Add => self.relu_after(id, seen),
                    _ => Chain { end: id, ..Chain::default() },
                };
                self.plain[chain.end] = !matches!(op, Op::Input);
                self.fusion.heads[chain.end] = Some(id);
                self.fusion.parts[id] = Part::Head(chain);
            }
        }
        seen[id] = true;
    }

    /// The only reader of a node that nobody asks for.
    fn only_reader(&self, id: usize) -> Option<usize> {
        match self.readers[id][..] {
            [reader] if !self.targets.iter().any(|target| target.index() == id) => Some(reader),
            _ => None,
        }
    }

    /// Takes a node into the step of an earlier one.
    fn take(&mut self, id: usize, seen: &mut [bool]) {
        (self.fusion.parts[id], seen[id]) = (Part::Inner, true);
    }

    fn relu_after(&mut self, id: usize, seen: &mut [bool]) -> Chain {
        match self.only_reader(id).filter(|reader| self.network.nodes()[*reader].op == Op::Relu) {
            Some(relu) => {
                self.take(relu, seen);
                Chain { relu: true, end: relu, ..Chain::default() }
            }
            None => Chain { end: id, ..Chain::default() },
        }
    }

    fn chain(&mut self, id: usize, maps: bool, seen: &mut [bool]) -> Chain {
        let mut chain = Chain { end: id, ..Chain::default() };
        while let Some(reader) = self.only_reader(chain.end).filter(|_| !chain.relu) {
            let node = &self.network.nodes()[reader];
            match &node.op {
                Op::BatchNorm(_) | Op::ChannelAffine { .. } | Op::Scale { .. } | Op::InputAffine { .. }
                    if chain.residual.is_none() =>
                {
                    chain.affines.push(reader);
                }
                Op::Add if maps && chain.residual.is_none() && node.inputs.len() == 2 => {
                    let other = node.inputs.iter().map(|input| input.index()).find(|input| *input != chain.end);
                    let Some(other) = other.filter(|other| self.plain[*other]) else { break };
                    chain.residual = Some(other);
                }
                Op::Relu => chain.relu = true,
                _ => break,
            }
            self.take(reader, seen);
            chain.end = reader;
        }
        chain
    }
}
