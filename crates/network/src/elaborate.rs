//! Elaboration: a definition and an input size become a [`Network`]. The one step that can fail, and it names the node.

use crate::definition::{Architecture, Block, Branches, Chain, Step};
use crate::error::{Error, Result};
use crate::network::{Network, Node, NodeId, Output};
use crate::op::Op;
use crate::shape::Shape;
use crate::shape_rule::{check_size, output_shape};
use crate::tensors::tensors_of;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

impl Architecture {
    /// The network for inputs of `[C, H, W]`.
    ///
    /// # Errors
    ///
    /// The first node whose operation cannot take its input, with the shapes: an image too small for a window,
    /// branches that do not fit together, groups that do not divide the channels, two nodes of one path.
    pub fn at(&self, input: [usize; 3]) -> Result<Network> {
        let [channels, height, width] = input;
        if input.contains(&0) {
            return Err(Error::EmptyInput { network: self.name.clone(), input });
        }
        let mut elaboration = Elaboration {
            architecture: self,
            nodes: Vec::new(),
            paths: BTreeMap::new(),
            counts: BTreeMap::new(),
            heads: Vec::new(),
            left_out_heads: Vec::new(),
            head: None,
        };
        let shape = Shape::Map { channels, height, width };
        check_size(&Op::Input, Op::Input.name(), shape, shape)?;
        let start = Node {
            path: Op::Input.name().to_string(),
            op: Op::Input,
            inputs: Vec::new(),
            shape,
            tensors: Vec::new(),
            head: None,
        };
        let start = elaboration.push(start)?;
        let logits = elaboration.chain(&self.body, "", start)?;
        let main = Output { name: "logits".to_string(), node: logits, loss_weight: 1.0 };
        let outputs = std::iter::once(main).chain(std::mem::take(&mut elaboration.heads)).collect();
        let Elaboration { nodes, paths, left_out_heads, .. } = elaboration;
        Ok(Network { name: self.name.clone(), nodes, outputs, paths, left_out_heads })
    }

    /// The network for inputs of its source's size.
    ///
    /// # Errors
    ///
    /// As [`Architecture::at`]; none for a sound definition.
    pub fn at_usual_input(&self) -> Result<Network> {
        self.at(self.usual_input)
    }
}

struct Elaboration<'a> {
    architecture: &'a Architecture,
    nodes: Vec<Node>,
    paths: BTreeMap<String, NodeId>,
    /// How many unlabelled operations of a name an enclosing path holds so far.
    counts: BTreeMap<String, usize>,
    heads: Vec<Output>,
    left_out_heads: Vec<String>,
    /// The auxiliary output being elaborated.
    head: Option<usize>,
}

impl Elaboration<'_> {
    /// Elaborates `block` on the value of `input` in the enclosing `scope`; returns the node of its output.
    fn block(&mut self, block: &Block, scope: &str, label: Option<&str>, input: NodeId) -> Result<NodeId> {
        let path = label.map(|label| join(scope, label));
        let inner = path.as_deref().unwrap_or(scope);
        let output = match block {
            Block::Op(op) => {
                let path = path.unwrap_or_else(|| self.unlabelled(scope, op.name()));
                return match op {
                    Op::Dropout { .. } if !self.architecture.dropout => {
                        self.op(&Op::Dropout { rate: 0.0 }, path, vec![input])
                    }
                    _ => self.op(op, path, vec![input]),
                };
            }
            Block::Chain(chain) => self.chain(chain, inner, input)?,
            Block::Branches(branches) => self.branches(branches, inner, input)?,
        };
        if let Some(path) = path {
            self.name(path, output)?;
        }
        Ok(output)
    }

    fn chain(&mut self, chain: &Chain, scope: &str, input: NodeId) -> Result<NodeId> {
        let mut value = input;
        for step in &chain.steps {
            match step {
                Step::Through { label, block } => value = self.block(block, scope, label.as_deref(), value)?,
                Step::Tap { label, loss_weight, head } if self.architecture.heads => {
                    let outer = self.head.replace(self.heads.len() + 1);
                    let node = self.block(head, scope, Some(label), value)?;
                    self.head = outer;
                    self.heads.push(Output { name: join(scope, label), node, loss_weight: *loss_weight });
                }
                Step::Tap { label, .. } => self.left_out_heads.push(join(scope, label)),
            }
        }
        Ok(value)
    }

    fn branches(&mut self, branches: &Branches, scope: &str, input: NodeId) -> Result<NodeId> {
        let outputs = branches
            .branches
            .iter()
            .map(|(label, block)| self.block(block, scope, label.as_deref(), input))
            .collect::<Result<Vec<_>>>()?;
        let op = branches.join.op();
        let path = self.unlabelled(scope, op.name());
        self.op(&op, path, outputs)
    }

    fn op(&mut self, op: &Op, path: String, inputs: Vec<NodeId>) -> Result<NodeId> {
        let shapes: Vec<Shape> = inputs.iter().map(|input| self.nodes[input.0].shape).collect();
        let shape = output_shape(op, &path, &shapes)?;
        check_size(op, &path, shapes[0], shape)?;
        let tensors = tensors_of(op, &path, shapes[0], &self.architecture.scheme);
        self.push(Node { path, op: op.clone(), inputs, shape, tensors, head: self.head })
    }

    fn push(&mut self, node: Node) -> Result<NodeId> {
        let id = NodeId(self.nodes.len());
        self.name(node.path.clone(), id)?;
        self.nodes.push(node);
        Ok(id)
    }

    fn name(&mut self, path: String, id: NodeId) -> Result<()> {
        match self.paths.entry(path) {
            Entry::Vacant(entry) => {
                entry.insert(id);
                Ok(())
            }
            Entry::Occupied(entry) => {
                Err(Error::DuplicatePath { network: self.architecture.name.clone(), path: entry.key().clone() })
            }
        }
    }

    /// The path of an unlabelled operation: its name, from the second on with a count.
    fn unlabelled(&mut self, scope: &str, name: &str) -> String {
        let base = join(scope, name);
        let count = self.counts.entry(base.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { base } else { format!("{base}_{}", *count - 1) }
    }
}

fn join(scope: &str, label: &str) -> String {
    if scope.is_empty() { label.to_string() } else { format!("{scope}.{label}") }
}
