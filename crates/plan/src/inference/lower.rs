//! From a network to steps over stores.

use super::fold::Mapping;
use super::fusion::{Chain, Fusion, Part};
use crate::operation::Operation;
use crate::plan::{Home, size, starts};
use cnn_kernels::{Conv, LANES};
use cnn_network::network::NodeId;
use cnn_network::{Network, Op};
use std::collections::BTreeMap;

/// A node's value: where it is, and what is done to it where it is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    /// The node whose value it is.
    pub(super) node: usize,
    pub(super) at: At,
    pub(super) channels: usize,
    /// Height and width of the maps in memory.
    pub(super) size: [usize; 2],
    pub(super) map: Mapping,
    /// Whether it counts as one vector, channel by channel, although it lies as maps.
    pub(super) vector: bool,
}

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The images as they came.
    Images,
    /// Blocks of a store, from this one on.
    Store { store: usize, first_block: usize },
}

/// Memory that steps fill: blocks of channels, height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Store {
    /// The node whose value it holds, or a part of it.
    pub(super) node: usize,
    pub(super) blocks: usize,
    pub(super) size: [usize; 2],
}

impl Store {
    /// Numbers of one image.
    pub(super) fn numbers(&self) -> usize {
        self.blocks * self.size[0] * self.size[1] * LANES
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Work {
    /// A convolution of this node, with what follows it.
    Conv { conv: Conv, chain: Chain, residual: Option<Value> },
    /// A linear layer of this node, with what follows it.
    Linear { chain: Chain },
    /// A sum, and whether a ReLU follows it.
    Sum { relu: bool },
    /// Any other operation.
    Other(Operation),
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// The node it begins with.
    pub(super) node: usize,
    pub(super) work: Work,
    pub(super) inputs: Vec<Value>,
    pub(super) output: Value,
}

impl Step {
    /// What it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = &Value> {
        let residual = match &self.work {
            Work::Conv { residual, .. } => residual.as_ref(),
            _ => None,
        };
        self.inputs.iter().chain(residual)
    }
}

/// A network as steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Lowered {
    pub(super) steps: Vec<Step>,
    pub(super) stores: Vec<Store>,
    /// The values that are asked for, each as it is in memory.
    pub(super) outputs: Vec<Value>,
}

struct Lowering<'n> {
    network: &'n Network,
    fusion: &'n Fusion,
    homes: Vec<Option<Home>>,
    /// Stores of concatenations, by the root's node.
    roots: BTreeMap<usize, usize>,
    values: Vec<Option<Value>>,
    lowered: Lowered,
}

/// The node whose store a value is read from as it is; `None` where it is read through a map, or not from a store.
pub(super) fn origin(network: &Network, fusion: &Fusion, mut node: usize) -> Option<usize> {
    loop {
        if let Some(head) = fusion.heads[node] {
            let op = &network.nodes()[head].op;
            return (!matches!(op, Op::Input | Op::Flatten)).then_some(node);
        }
        match fusion.parts[node] {
            Part::Alias => node = network.nodes()[node].inputs.first()?.index(),
            _ => return None,
        }
    }
}

/// Lowers a network to the steps that compute the values of some nodes.
pub(super) fn lower(network: &Network, fusion: &Fusion, homes: Vec<Option<Home>>, targets: &[NodeId]) -> Lowered {
    let values = vec![None; network.nodes().len()];
    let roots = BTreeMap::new();
    let mut lowering = Lowering { network, fusion, homes, roots, values, lowered: Lowered::default() };
    for id in 0..network.nodes().len() {
        lowering.node(id);
    }
    for target in targets {
        let value = lowering.value(target.index());
        let value = lowering.written(target.index(), value);
        lowering.lowered.outputs.push(value);
    }
    lowering.lowered
}

impl Lowering<'_> {
    fn value(&self, node: usize) -> Value {
        self.values[node].clone().expect("a node comes after its inputs")
    }

    fn node(&mut self, id: usize) {
        let (network, fusion) = (self.network, self.fusion);
        let node = &network.nodes()[id];
        let inputs = || node.inputs.iter().map(|input| self.value(input.index()));
        match &fusion.parts[id] {
            Part::Unneeded | Part::Inner => {}
            Part::Alias => self.values[id] = inputs().next(),
            Part::Map => {
                let input = self.value(node.inputs[0].index());
                self.values[id] = Some(self.mapped(id, input));
            }
            Part::Head(chain) => {
                let inputs: Vec<Value> = inputs().collect();
                let value = self.head(id, chain, inputs);
                self.values[chain.end] = Some(value);
            }
        }
    }

    /// A scale, a shift or a floor on top of a value.
    fn mapped(&mut self, id: usize, input: Value) -> Value {
        let relu = self.network.nodes()[id].op == Op::Relu;
        let mut value = match (relu, input.map.relu || input.vector) {
            (false, true) => self.written(id, input),
            _ => input,
        };
        match relu {
            true => value.map.relu = true,
            false => value.map.affines.push(id),
        }
        Value { node: id, ..value }
    }

    fn head(&mut self, id: usize, chain: &Chain, inputs: Vec<Value>) -> Value {
        let node = &self.network.nodes()[id];
        let input = node.inputs.first().map_or(node.shape, |input| self.network.node(*input).shape);
        let operation = || Operation::of(&node.op, input, node.shape).expect("what is no map is an operation");
        match &node.op {
            Op::Input => Value {
                node: id,
                at: At::Images,
                channels: node.shape.channels(),
                size: size(node.shape),
                map: Mapping::default(),
                vector: false,
            },
            Op::Conv(_) => {
                let Operation::Conv { conv, .. } = operation() else { unreachable!("a convolution") };
                let residual = chain.residual.map(|residual| self.value(residual));
                let mut input = self.maps(id, inputs);
                if !reads_images(&input[0], &conv) {
                    input = self.in_stores(id, input);
                }
                self.fill(id, chain.end, Work::Conv { conv, chain: chain.clone(), residual }, input)
            }
            Op::Linear(_) => {
                let inputs = self.in_stores(id, inputs);
                self.fill(id, chain.end, Work::Linear { chain: chain.clone() }, inputs)
            }
            Op::Add => {
                let inputs = self.maps(id, inputs);
                self.fill(id, chain.end, Work::Sum { relu: chain.relu }, inputs)
            }
            Op::Flatten => {
                let input = inputs.into_iter().next().expect("a flatten has an input");
                if input.size == [1, 1] { input } else { Value { vector: true, ..input } }
            }
            Op::Concat => self.concat(id, inputs),
            _ => {
                let inputs = self.maps(id, inputs);
                let inputs = self.in_stores(id, inputs);
                self.fill(id, chain.end, Work::Other(operation()), inputs)
            }
        }
    }

    /// Values as maps or vectors that lie as such.
    fn maps(&mut self, id: usize, values: Vec<Value>) -> Vec<Value> {
        values.into_iter().map(|value| if value.vector { self.written(id, value) } else { value }).collect()
    }

    /// Values in stores.
    fn in_stores(&mut self, id: usize, values: Vec<Value>) -> Vec<Value> {
        let images = |value: &Value| value.at == At::Images;
        values.into_iter().map(|value| if images(&value) { self.written(id, value) } else { value }).collect()
    }

    /// The value in a store as it is, and a vector as a vector; copied there if need be.
    fn written(&mut self, id: usize, value: Value) -> Value {
        if value.vector {
            let vector = Value { vector: false, ..value.clone() };
            let inputs = self.in_stores(id, vec![vector]);
            let channels = value.channels * value.size[0] * value.size[1];
            let output = self.own_store(value.node, channels, [1, 1]);
            return self.push(id, Work::Other(Operation::Flatten), inputs, output);
        }
        if value.at != At::Images && value.map.is_none() {
            return value;
        }
        let output = self.own_store(value.node, value.channels, value.size);
        self.push(id, Work::Sum { relu: false }, vec![value], output)
    }

    fn own_store(&mut self, node: usize, channels: usize, size: [usize; 2]) -> Value {
        let store = self.store(node, channels, size);
        Value { node, at: At::Store { store, first_block: 0 }, channels, size, map: Mapping::default(), vector: false }
    }

    fn store(&mut self, node: usize, channels: usize, size: [usize; 2]) -> usize {
        self.lowered.stores.push(Store { node, blocks: channels.div_ceil(LANES), size });
        self.lowered.stores.len() - 1
    }

    fn push(&mut self, node: usize, work: Work, inputs: Vec<Value>, output: Value) -> Value {
        self.lowered.steps.push(Step { node, work, inputs, output: output.clone() });
        output
    }

    /// The place of a node whose value is `end`'s: a store of its own, or its channels of a concatenation.
    fn place(&mut self, end: usize) -> Value {
        let shape = self.network.nodes()[end].shape;
        let (channels, size) = (shape.channels(), size(shape));
        let Some(home) = self.homes[end] else { return self.own_store(end, channels, size) };
        let at = At::Store { store: self.root(home.root), first_block: home.channel / LANES };
        Value { node: end, at, channels, size, map: Mapping::default(), vector: false }
    }

    /// A step that writes the value of node `end`. Other kernels write whole stores, which are copied to a home.
    fn fill(&mut self, id: usize, end: usize, work: Work, inputs: Vec<Value>) -> Value {
        let place = self.place(end);
        let whole = matches!(&work, Work::Other(operation) if !is_native(operation));
        if !whole || self.homes[end].is_none() {
            return self.push(id, work, inputs, place);
        }
        let own = self.own_store(end, place.channels, place.size);
        let own = self.push(id, work, inputs, own);
        self.push(id, Work::Sum { relu: false }, vec![own], place)
    }

    /// The store of a concatenation.
    fn root(&mut self, id: usize) -> usize {
        if let Some(store) = self.roots.get(&id) {
            return *store;
        }
        let shape = self.network.nodes()[id].shape;
        let store = self.store(id, shape.channels(), size(shape));
        self.roots.insert(id, store);
        store
    }

    fn concat(&mut self, id: usize, inputs: Vec<Value>) -> Value {
        let shape = self.network.nodes()[id].shape;
        let blocks = inputs.iter().map(|input| input.channels.div_ceil(LANES));
        let first = inputs[0].at;
        let side_by_side = inputs.iter().zip(starts(blocks)).enumerate().all(|(i, (input, start))| {
            let expected = match first {
                At::Images => At::Images,
                At::Store { store, first_block } => At::Store { store, first_block: first_block + start },
            };
            let whole = input.channels % LANES == 0 || i + 1 == inputs.len();
            input.at == expected && input.at != At::Images && input.map.is_none() && !input.vector && whole
        });
        let homed = match (self.homes[id], first) {
            (Some(home), At::Store { store, .. }) => self.root(home.root) == store,
            _ => false,
        };
        if side_by_side && homed {
            return Value { node: id, channels: shape.channels(), ..inputs[0].clone() };
        }
        let inputs = self.maps(id, inputs);
        let last = inputs.len() - 1;
        let whole = inputs.iter().enumerate().all(|(i, input)| input.channels % LANES == 0 || i == last);
        if !whole {
            let inputs = self.in_stores(id, inputs);
            return self.fill(id, id, Work::Other(Operation::Concat), inputs);
        }
        // Whole blocks are copied one input after the other.
        let place = self.place(id);
        let At::Store { store, first_block } = place.at else { unreachable!("a place is a store's") };
        let mut first_block = first_block;
        for input in inputs {
            let at = At::Store { store, first_block };
            first_block += input.channels.div_ceil(LANES);
            let to = Value { at, map: Mapping::default(), ..input.clone() };
            self.push(id, Work::Sum { relu: false }, vec![input], to);
        }
        place
    }
}

/// Whether an operation has a step of its own in a program, which may write some blocks of a store.
pub(super) fn is_native(operation: &Operation) -> bool {
    matches!(operation, Operation::MaxPool(_) | Operation::AveragePool(_))
}

/// Whether a convolution reads the images as they came.
fn reads_images(input: &Value, conv: &Conv) -> bool {
    input.at == At::Images && cnn_kernels::inference::takes_images(conv)
}
