//! Elaboration: a definition and an input size become a [`Network`]. The one step that can fail, and it names the node.

use crate::definition::{Architecture, Block, Branches, Chain, Step};
use crate::error::{Error, Result, near_names};
use crate::initialisation::Scheme;
use crate::network::{Network, Node, NodeId, Output};
use crate::numbers::{check_init, check_loss_weight, check_numbers, require};
use crate::op::{Conv, Op};
use crate::shape::Shape;
use crate::shape_rule::output_shape;
use crate::size::Size;
use crate::tensors::tensors_of;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How deep blocks may stand in blocks: elaboration calls itself for each.
const DEEPEST: usize = 128;

impl Architecture {
    /// The network for inputs of `[C, H, W]`.
    ///
    /// # Errors
    ///
    /// The first node whose operation cannot take its input, with the shapes: an image too small for a window,
    /// branches that do not fit together, groups that do not divide the channels, two nodes of one path. The first
    /// number an operation cannot have: an ε below 0, a factor that f32 cannot hold, a stride of 0. The first node with
    /// which the network is too large to be counted.
    pub fn at(&self, input: [usize; 3]) -> Result<Network> {
        let [channels, height, width] = input;
        if input.contains(&0) {
            return Err(Error::EmptyInput { network: self.name.clone(), input });
        }
        let mut elaboration = Elaboration {
            network: &self.name,
            context: Context { scheme: self.scheme, heads: self.heads, dropout: self.dropout },
            nodes: Vec::new(),
            paths: BTreeMap::new(),
            counts: BTreeMap::new(),
            heads: Vec::new(),
            left_out_heads: Vec::new(),
            head: None,
            cuts: Vec::new(),
            depth: 0,
            size: Size::default(),
        };
        let shape = Shape::Map { channels, height, width };
        let path = Op::Input.name();
        elaboration.size.add(&Op::Input, path, shape, shape, &[])?;
        let start =
            Node { path: path.to_string(), op: Op::Input, inputs: Vec::new(), shape, tensors: Vec::new(), head: None };
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

/// What an architecture says of everything inside it.
#[derive(Clone, Copy)]
struct Context {
    scheme: Scheme,
    heads: bool,
    dropout: bool,
}

/// Where an architecture inside the network ends before its last node.
struct Cut {
    /// The path at which it ends.
    path: String,
    /// The node of that path, once it is there.
    reached: Option<NodeId>,
}

struct Elaboration<'a> {
    network: &'a str,
    context: Context,
    nodes: Vec<Node>,
    paths: BTreeMap<String, NodeId>,
    /// How many unlabelled operations of a name an enclosing path holds so far.
    counts: BTreeMap<String, usize>,
    heads: Vec<Output>,
    left_out_heads: Vec<String>,
    /// The auxiliary output being elaborated.
    head: Option<usize>,
    /// The ends of the architectures being elaborated, the innermost last.
    cuts: Vec<Cut>,
    /// Blocks around the one being elaborated.
    depth: usize,
    size: Size,
}

impl Elaboration<'_> {
    /// Elaborates `block` on the value of `input` in the enclosing `scope`; returns the node of its output.
    fn block(&mut self, block: &Block, scope: &str, label: Option<&str>, input: NodeId) -> Result<NodeId> {
        let path = label.map(|label| join(scope, label));
        let inner = path.as_deref().unwrap_or(scope);
        if let Block::Op(op) = block {
            let path = path.unwrap_or_else(|| self.unlabelled(scope, op.name()));
            return match op {
                Op::Dropout { rate } if !self.context.dropout => {
                    check_numbers(&Op::Dropout { rate: *rate }, &path)?;
                    self.op(Op::Dropout { rate: 0.0 }, path, vec![input])
                }
                Op::Conv(conv) => self.op(Op::Conv(self.counted(conv, &path, input)?), path, vec![input]),
                _ => self.op(op.clone(), path, vec![input]),
            };
        }
        self.depth += 1;
        require(self.depth <= DEEPEST, inner, || format!("blocks stand in one another more than {DEEPEST} deep"))?;
        let output = match block {
            Block::Op(_) => input,
            Block::Chain(chain) => self.chain(chain, inner, input)?,
            Block::Branches(branches) => self.branches(branches, inner, input)?,
            Block::Architecture(architecture) => self.architecture(architecture, inner, input)?,
        };
        self.depth -= 1;
        // A block that was left in the middle has no output of its own to name.
        if let Some(path) = path.filter(|_| self.stopped().is_none()) {
            self.name(path, output)?;
        }
        Ok(output)
    }

    fn chain(&mut self, chain: &Chain, scope: &str, input: NodeId) -> Result<NodeId> {
        let mut value = input;
        for step in &chain.steps {
            match step {
                Step::Through { label, block } => value = self.block(block, scope, label.as_deref(), value)?,
                Step::Tap { label, loss_weight, head } if self.context.heads => {
                    let path = join(scope, label);
                    check_loss_weight(&path, *loss_weight)?;
                    // It has its place before the heads that stand in it; its node is known behind them.
                    self.heads.push(Output { name: path, node: value, loss_weight: *loss_weight });
                    let number = self.heads.len();
                    let outer = self.head.replace(number);
                    self.heads[number - 1].node = self.block(head, scope, Some(label), value)?;
                    self.head = outer;
                    self.not_stopped()?;
                }
                Step::Tap { label, .. } => self.left_out_heads.push(join(scope, label)),
            }
            if let Some(stop) = self.stopped() {
                return Ok(stop);
            }
        }
        Ok(value)
    }

    /// Elaborates an architecture as a piece of another: by its own laws, and up to its own end.
    fn architecture(&mut self, architecture: &Architecture, scope: &str, input: NodeId) -> Result<NodeId> {
        let outer = self.context;
        self.context = Context {
            scheme: architecture.scheme,
            heads: outer.heads && architecture.heads,
            dropout: outer.dropout && architecture.dropout,
        };
        if let Some(path) = &architecture.up_to {
            self.cuts.push(Cut { path: join(scope, path), reached: None });
        }
        let first = self.nodes.len();
        let mut output = self.chain(&architecture.body, scope, input)?;
        self.context = outer;
        if let Some(path) = &architecture.up_to {
            let reached = self.cuts.pop().and_then(|cut| cut.reached);
            match reached {
                Some(node) => output = node,
                // Left for the end of an architecture around this one.
                None if self.stopped().is_some() => {}
                None => {
                    let prefix = join(scope, "");
                    let inside = self.paths.iter().filter(|(_, id)| id.0 >= first);
                    let own = inside.filter_map(|(path, _)| path.strip_prefix(prefix.as_str()));
                    let near = near_names(path, own);
                    return Err(Error::UnknownNode { network: architecture.name.clone(), path: path.clone(), near });
                }
            }
        }
        Ok(output)
    }

    /// The node at which an architecture around here ends, once it is there.
    fn stopped(&self) -> Option<NodeId> {
        self.cuts.iter().find_map(|cut| cut.reached)
    }

    /// Refuses an end inside a branch or a head.
    fn not_stopped(&self) -> Result<()> {
        match self.cuts.iter().find(|cut| cut.reached.is_some()) {
            None => Ok(()),
            Some(cut) => {
                require(false, &cut.path, || format!("{} cannot end here, inside a branch or a head", self.network))
            }
        }
    }

    /// The convolution with its groups counted, where they are as many as the input's channels.
    fn counted(&self, conv: &Conv, path: &str, input: NodeId) -> Result<Conv> {
        let Some(multiplier) = conv.depthwise else { return Ok(conv.clone()) };
        check_numbers(&Op::Conv(conv.clone()), path)?;
        let channels = self.nodes[input.0].shape.channels();
        let out = channels.checked_mul(multiplier).filter(|out| conv.out_channels.is_none_or(|said| said == *out));
        require(out.is_some(), path, || match conv.out_channels {
            Some(said) => format!("{said} output channels are not {channels} times {multiplier}"),
            None => format!("{channels} times {multiplier} output channels cannot be counted"),
        })?;
        Ok(Conv { groups: channels, out_channels: out, depthwise: None, ..conv.clone() })
    }

    fn branches(&mut self, branches: &Branches, scope: &str, input: NodeId) -> Result<NodeId> {
        let op = branches.join.op();
        let branch = |(label, block): &(Option<String>, Block)| {
            let output = self.block(block, scope, label.as_deref(), input)?;
            self.not_stopped()?;
            Ok(output)
        };
        let outputs = branches.branches.iter().map(branch).collect::<Result<Vec<_>>>()?;
        let path = self.unlabelled(scope, op.name());
        self.op(op, path, outputs)
    }

    fn op(&mut self, op: Op, path: String, inputs: Vec<NodeId>) -> Result<NodeId> {
        check_numbers(&op, &path)?;
        let shapes: Vec<Shape> = inputs.iter().map(|input| self.nodes[input.0].shape).collect();
        let shape = output_shape(&op, &path, &shapes)?;
        let tensors = tensors_of(&op, &path, shapes[0], &self.context.scheme);
        self.size.add(&op, &path, shapes[0], shape, &tensors)?;
        tensors.iter().try_for_each(check_init)?;
        self.push(Node { path, op, inputs, shape, tensors, head: self.head })
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
                for cut in self.cuts.iter_mut().filter(|cut| cut.path == *entry.key()) {
                    cut.reached = Some(id);
                }
                entry.insert(id);
                Ok(())
            }
            Entry::Occupied(entry) => {
                Err(Error::DuplicatePath { network: self.network.to_string(), path: entry.key().clone() })
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
