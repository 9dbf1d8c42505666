//! `Outline`: a network as a reader's eye groups it, stage by stage, with its branches.
//!
//! Found from the graph and the paths alone. A branch point is the last node that all inputs of a join pass through, so
//! the flat list of nodes folds back into runs and forks. The runs of the main path group into stages: a labelled chain
//! is one, unless it holds whole resolutions of the network (torchvision's `features`); operations outside any chain
//! are cut behind every pool with what follows it element by element, and before every linear layer, as in the papers'
//! tables.

use crate::network::{Network, NodeId};
use crate::op::Op;
use crate::shape::{Pair, Shape};
use std::collections::BTreeSet;

/// A network's stages, the main path first, then one for each auxiliary head.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outline {
    /// In order of execution.
    pub stages: Vec<Stage>,
}

/// A row of a paper's table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stage {
    /// The chain's path, or the first and last operation's.
    pub label: String,
    /// What is computed, one part after the other.
    pub parts: Vec<Part>,
    /// Shape of what comes out.
    pub output: Shape,
    /// For an auxiliary head, the shortest path of the node it reads.
    pub reads: Option<String>,
}

/// A piece of a stage with one input and one output.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// One operation.
    Op(NodeId),
    /// Branches side by side on one input. A branch without parts is the identity.
    Fork {
        /// The node that joins them.
        join: NodeId,
        /// In the order in which they are joined.
        branches: Vec<Vec<Part>>,
    },
}

impl Part {
    /// The node whose value comes out.
    pub fn output(&self) -> NodeId {
        match self {
            Self::Op(node) | Self::Fork { join: node, .. } => *node,
        }
    }

    /// Calls `visit` with every node of the part.
    pub fn for_each_node(&self, visit: &mut impl FnMut(NodeId)) {
        if let Self::Fork { branches, .. } = self {
            for part in branches.iter().flatten() {
                part.for_each_node(visit);
            }
        }
        visit(self.output());
    }
}

impl Stage {
    /// Every node of the stage, ascending.
    pub fn nodes(&self) -> Vec<NodeId> {
        let mut nodes = BTreeSet::new();
        for part in &self.parts {
            part.for_each_node(&mut |node| {
                nodes.insert(node);
            });
        }
        nodes.into_iter().collect()
    }
}

impl Network {
    /// The network's stages.
    pub fn outline(&self) -> Outline {
        let folding = Folding { network: self, dominators: self.dominators() };
        let main = folding.run(NodeId(0), self.outputs[0].node);
        let mut stages = self.group(main);
        for (number, output) in self.outputs.iter().enumerate().skip(1) {
            let nodes = self.nodes.iter().filter(|node| node.head == Some(number));
            // A head is a chain of its own, so its first node is the one whose input is not in it.
            let Some(tap) = nodes.flat_map(|node| &node.inputs).find(|input| self.node(**input).head != Some(number))
            else {
                continue;
            };
            stages.push(Stage {
                label: output.name.clone(),
                parts: folding.run(*tap, output.node),
                output: self.node(output.node).shape,
                reads: self
                    .paths()
                    .filter(|(_, id)| id == tap)
                    .map(|(path, _)| path.to_string())
                    .min_by_key(String::len),
            });
        }
        Outline { stages }
    }

    /// For each node the last earlier one that every way from the input to it passes through.
    fn dominators(&self) -> Vec<usize> {
        let mut dominators: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let common = node.inputs.iter().map(|input| input.index()).reduce(|mut a, mut b| {
                while a != b {
                    if a > b { a = dominators[a] } else { b = dominators[b] }
                }
                a
            });
            dominators.push(common.unwrap_or(0));
        }
        dominators
    }

    /// The stages of the main path.
    fn group(&self, parts: Vec<Part>) -> Vec<Stage> {
        let mut items = Vec::new();
        self.items(parts, 0, &mut items);
        let mut stages: Vec<Stage> = Vec::new();
        let mut bare: Vec<Part> = Vec::new();
        for item in items {
            match item {
                Item::Chain { path, mut parts } => {
                    if bare.iter().all(|part| self.only_passes_on(part)) {
                        parts.splice(0..0, bare.drain(..));
                    }
                    stages.extend(self.bare_stage(&mut bare));
                    let output = self.node(parts[parts.len() - 1].output()).shape;
                    stages.push(Stage { label: path, parts, output, reads: None });
                }
                Item::Bare(part) => {
                    let op = |part: &Part| &self.node(part.output()).op;
                    let weighs = |part: &Part| matches!(op(part), Op::Conv(_) | Op::Linear(_));
                    let pools =
                        |part: &Part| matches!(op(part), Op::MaxPool(_) | Op::AvgPool(_) | Op::AdaptiveAvgPool { .. });
                    let pooled = bare.iter().any(pools) && !op(&part).is_elementwise();
                    if pooled || matches!(op(&part), Op::Linear(_)) && bare.iter().any(weighs) {
                        stages.extend(self.bare_stage(&mut bare));
                    }
                    bare.push(part);
                }
            }
        }
        match stages.last_mut() {
            Some(last) if bare.iter().all(|part| self.only_passes_on(part)) => last.parts.append(&mut bare),
            _ => stages.extend(self.bare_stage(&mut bare)),
        }
        if let Some(last) = stages.last_mut() {
            last.output = self.node(self.outputs[0].node).shape;
        }
        stages
    }

    /// Whether the part changes nothing in evaluation but the shape: no row of a table.
    fn only_passes_on(&self, part: &Part) -> bool {
        matches!(self.node(part.output()).op, Op::Flatten | Op::Dropout { .. })
    }

    /// Splits the parts at the segment of their paths behind `depth` segments.
    fn items(&self, parts: Vec<Part>, depth: usize, items: &mut Vec<Item>) {
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            let Some(path) = self.chain_of(&part, depth) else {
                items.push(Item::Bare(part));
                continue;
            };
            let mut inside = vec![part];
            while let Some(part) = parts.next_if(|part| self.chain_of(part, depth) == Some(path)) {
                inside.push(part);
            }
            let sizes: BTreeSet<[usize; 2]> =
                inside.iter().filter_map(|part| self.node(part.output()).shape.size()).map(Pair::axes).collect();
            if sizes.len() > 2 {
                self.items(inside, depth + 1, items);
            } else {
                items.push(Item::Chain { path: path.to_string(), parts: inside });
            }
        }
    }

    /// The path of `depth + 1` segments in which the part's output lies; `None` if it lies higher.
    fn chain_of(&self, part: &Part, depth: usize) -> Option<&str> {
        let path = self.node(part.output()).path.as_str();
        path.match_indices('.').nth(depth).map(|(end, _)| &path[..end])
    }

    /// A stage of operations that are in no chain of their own; `None` if there are none.
    fn bare_stage(&self, parts: &mut Vec<Part>) -> Option<Stage> {
        let output = parts.last()?.output();
        let names = |wanted: fn(&Op) -> bool| {
            let nodes = parts.iter().map(|part| self.node(part.output()));
            nodes.filter(|node| wanted(&node.op)).map(|node| node.path.as_str()).collect::<Vec<_>>()
        };
        let mut paths = names(|op| !op.is_elementwise() && !matches!(op, Op::Flatten));
        if paths.is_empty() {
            paths = names(|_| true);
        }
        let label = match paths.as_slice() {
            [first, .., last] => format!("{first} … {last}"),
            [only] => only.to_string(),
            [] => String::new(),
        };
        let stage = Stage { label, parts: std::mem::take(parts), output: self.node(output).shape, reads: None };
        Some(stage)
    }
}

/// A piece of the main path at one depth of the paths.
enum Item {
    /// A labelled chain.
    Chain { path: String, parts: Vec<Part> },
    /// An operation or a fork outside of any.
    Bare(Part),
}

/// Folds the flat nodes back into runs and forks.
struct Folding<'a> {
    network: &'a Network,
    dominators: Vec<usize>,
}

impl Folding<'_> {
    /// What lies between the value of `from` and the value of `to`.
    fn run(&self, from: NodeId, to: NodeId) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut at = to;
        while at != from {
            let start = NodeId(self.dominators[at.0]);
            let inputs = &self.network.node(at).inputs;
            parts.push(match inputs.as_slice() {
                [_] => Part::Op(at),
                _ => Part::Fork { join: at, branches: inputs.iter().map(|input| self.run(start, *input)).collect() },
            });
            at = start;
        }
        parts.reverse();
        parts
    }
}
