//! From a network to stages.

use super::home::{Home, homes, starts};
use super::stage::{Fill, MapWork, Stage, Statistics, Work};
use super::value::{Store, Value, size};
use crate::operation::Operation;
use cnn_kernels::{Algorithm, LANES};
use cnn_network::network::{Node, NodeId};
use cnn_network::{Network, Op};
use std::collections::BTreeMap;

/// A network as stages over stores.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lowered {
    pub(crate) stages: Vec<Stage>,
    pub(crate) stores: Vec<Store>,
    /// For each map its number of channels.
    pub(crate) maps: Vec<usize>,
    /// For each tally its number of channels.
    pub(crate) tallies: Vec<usize>,
    /// For each max pool and dropout the value whose elements it remembers something of.
    pub(crate) memories: Vec<Value>,
    /// The values of the nodes that are asked for, each plain.
    pub(crate) outputs: Vec<Value>,
    /// For each of the network's tensors whether it is trained: neither a statistic nor frozen.
    pub(crate) trained: Vec<bool>,
    /// By stage, the node whose value it fills a store of its own with, because its gradient is asked for.
    pub(crate) watched: BTreeMap<usize, NodeId>,
}

impl Lowered {
    /// Has all convolutions computed by this algorithm.
    pub(crate) fn convolve_by(&mut self, how: Algorithm) {
        for stage in &mut self.stages {
            if let Work::Fill(Fill { operation: Operation::Conv { algorithm, .. }, .. }) = &mut stage.work {
                *algorithm = how;
            }
        }
    }

    /// Has max pools say themselves where a gradient ends at the floor of what they alone read: then nobody looks back at
    /// those numbers, which are the largest maps of a network without batch normalisation.
    fn let_pools_tell(&mut self) {
        let mut readers = vec![0; self.stores.len()];
        for stage in self.stages.iter().filter(|stage| matches!(stage.work, Work::Fill(_))) {
            stage.inputs.iter().for_each(|input| readers[input.store] += 1);
        }
        for stage in &mut self.stages {
            if let Some(Operation::MaxPool(max)) = stage.operation()
                && max.knows_floors()
                && readers[stage.inputs[0].store] == 1
            {
                stage.inputs[0].floored = false;
            }
        }
    }
}

/// What a network is lowered for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    /// Values and their gradients, but those of the tensors that are frozen; of none if the slice is empty.
    Training { frozen: &'a [bool] },
    /// Values alone.
    Evaluation,
    /// Values as in evaluation, and gradients with respect to these nodes; of no tensor.
    Gradients { nodes: &'a [NodeId] },
}

struct Lowering<'n> {
    network: &'n Network,
    training: bool,
    targets: &'n [NodeId],
    /// For each node whether its gradient is asked for.
    watched: Vec<bool>,
    homes: Vec<Option<Home>>,
    /// Stores of concatenations, by the root's node.
    roots: BTreeMap<usize, usize>,
    /// For each node its first tensor's position among the network's.
    parameters: Vec<usize>,
    values: Vec<Option<Value>>,
    lowered: Lowered,
}

/// Lowers a network to the stages that compute the values of `targets`.
pub(crate) fn lower(network: &Network, targets: &[NodeId], purpose: Purpose<'_>) -> Lowered {
    let (training, frozen, nodes) = match purpose {
        Purpose::Training { frozen } => (true, frozen, &[][..]),
        Purpose::Evaluation => (false, &[][..], &[][..]),
        Purpose::Gradients { nodes } => (false, &[][..], nodes),
    };
    let tensors = network.tensors().enumerate();
    let trains = |i: usize| !matches!(purpose, Purpose::Gradients { .. }) && !frozen.get(i).copied().unwrap_or(false);
    let trained = tensors.map(|(i, tensor)| tensor.trained() && trains(i)).collect();
    let mut watched = vec![false; network.nodes().len()];
    nodes.iter().for_each(|node| watched[node.index()] = true);
    let needed = network.needed_for(targets);
    let parameters = starts(network.nodes().iter().map(|node| node.tensors.len()));
    let mut lowering = Lowering {
        network,
        training,
        targets,
        homes: homes(network, &needed, training, &watched),
        watched,
        roots: BTreeMap::new(),
        parameters: parameters.collect(),
        values: vec![None; network.nodes().len()],
        lowered: Lowered { trained, ..Lowered::default() },
    };
    for id in (0..network.nodes().len()).filter(|id| needed[*id]) {
        let stores = lowering.lowered.stores.len();
        let mut value = lowering.node(id);
        if lowering.watched[id] {
            value = lowering.watch(id, value, stores);
        }
        lowering.values[id] = Some(value);
    }
    for target in targets {
        let value = lowering.value(target.index());
        let value = lowering.plain(&network.nodes()[target.index()].path, value);
        lowering.lowered.outputs.push(value);
    }
    lowering.lowered.let_pools_tell();
    lowering.lowered
}

impl Lowering<'_> {
    fn value(&self, node: usize) -> Value {
        self.values[node].clone().expect("a node comes after its inputs")
    }

    /// A value whose gradient is asked for, in a store that holds nothing else: a gradient lies where its store's does. The
    /// first `stores` were there before the node.
    fn watch(&mut self, id: usize, mut value: Value, stores: usize) -> Value {
        let own = value.is_plain() && value.store >= stores && self.homes[id].is_none();
        if !own {
            let output = self.own_store(&value, value.channels, value.size);
            value = self.push(&self.network.nodes()[id].path, Operation::Sum.into(), vec![value], output);
        }
        value.trained = true;
        if let Some(stage) = self.lowered.stages.last_mut() {
            stage.output.trained = true;
            let node = self.targets.iter().find(|target| target.index() == id);
            self.lowered.watched.extend(node.map(|node| (self.lowered.stages.len() - 1, *node)));
        }
        value
    }

    fn node(&mut self, id: usize) -> Value {
        let network = self.network;
        let node = &network.nodes()[id];
        let inputs: Vec<Value> = node.inputs.iter().map(|input| self.value(input.index())).collect();
        let parameter = self.parameters[id];
        let operation = || {
            let input = node.inputs.first().map_or(node.shape, |input| network.node(*input).shape);
            Operation::of(&node.op, input, node.shape).expect("what is no map fills a store")
        };
        match &node.op {
            Op::Input => self.input(id),
            Op::Conv(_) | Op::Linear(_) => {
                let (weight, bias) = (Some(parameter), (node.tensors.len() > 1).then_some(parameter + 1));
                self.fill(id, Fill { weight, bias, ..operation().into() }, inputs)
            }
            Op::BatchNorm(op) => {
                let input = self.plain(&node.path, inputs[0].clone());
                let (eps, momentum) = (op.eps, op.momentum);
                let by_batch = self.training && self.lowered.trained[parameter];
                self.lowered.stores[input.store].normalised |= by_batch;
                let statistics = if by_batch { Statistics::Batch { momentum } } else { Statistics::Running };
                let (output, tally) = self.tallied(&input, parameter);
                self.map(node, MapWork::Norm { eps, statistics, parameter, tally }, input, output)
            }
            Op::ChannelAffine { .. } => {
                let input = self.plain(&node.path, inputs[0].clone());
                let (output, tally) = self.tallied(&input, parameter);
                self.map(node, MapWork::ChannelAffine { parameter, tally }, input, output)
            }
            Op::Scale { factor } => {
                let (scale, shift) = (vec![*factor; inputs[0].channels], vec![0.0; inputs[0].channels]);
                self.constant(node, scale, shift, &inputs[0])
            }
            Op::InputAffine { scale, shift } => self.constant(node, scale.clone(), shift.clone(), &inputs[0]),
            Op::Relu => {
                let mut output = self.mapped(&inputs[0]);
                output.floored = true;
                self.map(node, MapWork::Floor, inputs[0].clone(), output)
            }
            Op::Flatten if inputs[0].size == [1, 1] => inputs[0].clone(),
            Op::Dropout { rate } if !self.training || *rate == 0.0 => inputs[0].clone(),
            Op::MaxPool(_) | Op::Dropout { .. } => {
                let memory = Some(self.lowered.memories.len());
                let output = self.fill(id, Fill { memory, ..operation().into() }, inputs);
                self.lowered.memories.push(output.clone());
                output
            }
            Op::Lrn(_)
            | Op::Sigmoid
            | Op::Tanh { .. }
            | Op::Softmax
            | Op::AvgPool(_)
            | Op::AdaptiveAvgPool { .. }
            | Op::Flatten
            | Op::ZeroChannels { .. }
            | Op::RadialBasis { .. }
            | Op::Add => self.fill(id, operation().into(), inputs),
            Op::Concat => self.concat(id, inputs),
        }
    }

    /// The images. Where convolutions alone read them they stay as they came: blocks of sixteen channels would be mostly
    /// zeros.
    fn input(&mut self, id: usize) -> Value {
        let readers = self.network.nodes().iter().filter(|node| node.inputs.iter().any(|input| input.index() == id));
        let convolved =
            readers.fold(None, |all: Option<bool>, node| Some(all.unwrap_or(true) && matches!(node.op, Op::Conv(_))));
        let output = self.fill(id, Operation::Input.into(), Vec::new());
        let asked_for = self.targets.iter().any(|target| target.index() == id);
        if convolved == Some(true) && !self.watched[id] && output.channels < LANES && !asked_for {
            self.lowered.stores[output.store].planar = true;
        }
        output
    }

    fn map(&mut self, node: &Node, work: MapWork, input: Value, output: Value) -> Value {
        let stage =
            Stage { path: node.path.clone(), work: Work::Map(work), inputs: vec![input], output: output.clone() };
        self.lowered.stages.push(stage);
        output
    }

    fn constant(&mut self, node: &Node, scale: Vec<f64>, shift: Vec<f64>, input: &Value) -> Value {
        let input = self.plain(&node.path, input.clone());
        let output = self.mapped(&input);
        self.map(node, MapWork::Constant { scale, shift }, input, output)
    }

    /// The same value with a map of its own.
    fn mapped(&mut self, value: &Value) -> Value {
        self.lowered.maps.push(value.channels);
        Value { map: Some(self.lowered.maps.len() - 1), ..value.clone() }
    }

    /// The same value with a map of its own, whose scale and shift are the gradients of two tensors; with a tally for
    /// them, if one of the tensors is trained.
    fn tallied(&mut self, value: &Value, parameter: usize) -> (Value, Option<usize>) {
        let output = self.mapped(value);
        if !self.lowered.trained[parameter..parameter + 2].contains(&true) {
            return (output, None);
        }
        self.lowered.tallies.push(value.channels);
        let tally = self.lowered.tallies.len() - 1;
        (Value { trained: true, tallies: vec![(tally, 0)], ..output }, Some(tally))
    }

    /// The value in a store as it is; copied there if need be.
    fn plain(&mut self, path: &str, value: Value) -> Value {
        if value.is_plain() {
            return value;
        }
        let output = self.own_store(&value, value.channels, value.size);
        self.push(path, Operation::Sum.into(), vec![value], output)
    }

    fn own_store(&mut self, like: &Value, channels: usize, size: [usize; 2]) -> Value {
        self.lowered.stores.push(Store { blocks: channels.div_ceil(LANES), size, normalised: false, planar: false });
        let store = self.lowered.stores.len() - 1;
        Value {
            store,
            first_block: 0,
            channels,
            size,
            map: None,
            floored: false,
            tallies: Vec::new(),
            trained: like.trained,
        }
    }

    fn push(&mut self, path: &str, fill: Fill, inputs: Vec<Value>, output: Value) -> Value {
        let stage = Stage { path: path.to_string(), work: Work::Fill(fill), inputs, output: output.clone() };
        self.lowered.stages.push(stage);
        output
    }

    /// A stage that fills the node's store, or its home.
    fn fill(&mut self, id: usize, fill: Fill, inputs: Vec<Value>) -> Value {
        let node = &self.network.nodes()[id];
        let own = &self.lowered.trained[self.parameters[id]..][..node.tensors.len()];
        let trained = own.contains(&true) || inputs.iter().any(|input| input.trained);
        let none = Value {
            store: 0,
            first_block: 0,
            channels: node.shape.channels(),
            size: size(node.shape),
            map: None,
            floored: false,
            tallies: Vec::new(),
            trained,
        };
        let Some(home) = self.homes[id] else {
            let output = self.own_store(&none, none.channels, none.size);
            return self.push(&node.path, fill, inputs, output);
        };
        let store = self.root(home.root);
        let at_home = Value { store, first_block: home.channel / LANES, ..none };
        // A kernel cannot read and write one store: such a stage writes to a store of its own first.
        if inputs.iter().any(|input| input.store == store) {
            let output = self.own_store(&at_home, at_home.channels, at_home.size);
            let output = self.push(&node.path, fill, inputs, output);
            return self.push(&node.path, Operation::Sum.into(), vec![output], at_home);
        }
        self.push(&node.path, fill, inputs, at_home)
    }

    /// The store of a concatenation.
    fn root(&mut self, id: usize) -> usize {
        if let Some(store) = self.roots.get(&id) {
            return *store;
        }
        let shape = self.network.nodes()[id].shape;
        let blocks = shape.channels().div_ceil(LANES);
        self.lowered.stores.push(Store { blocks, size: size(shape), normalised: false, planar: false });
        let store = self.lowered.stores.len() - 1;
        self.roots.insert(id, store);
        store
    }

    fn concat(&mut self, id: usize, inputs: Vec<Value>) -> Value {
        let node = &self.network.nodes()[id];
        let side_by_side = self.homes[id].is_some_and(|home| self.root(home.root) == inputs[0].store)
            && inputs.iter().zip(starts(inputs.iter().map(Value::blocks))).enumerate().all(|(i, (input, start))| {
                let expected = inputs[0].first_block + start;
                let whole = input.channels % LANES == 0 || i + 1 == inputs.len();
                input.store == inputs[0].store && input.first_block == expected && whole
            });
        if !side_by_side {
            return self.fill(id, Operation::Concat.into(), inputs);
        }
        let channels = node.shape.channels();
        let joined = Value { channels, trained: inputs.iter().any(|input| input.trained), ..inputs[0].clone() };
        if inputs.iter().all(Value::is_plain) {
            return joined;
        }
        let mut output = Value { tallies: Vec::new(), ..self.mapped(&joined) };
        let mut first = 0;
        for input in &inputs {
            output.tallies.extend(input.tallies.iter().map(|(tally, channel)| (*tally, first + channel)));
            output.floored |= input.floored;
            first += input.channels;
        }
        let stage = Stage { path: node.path.clone(), work: Work::Map(MapWork::Join), inputs, output: output.clone() };
        self.lowered.stages.push(stage);
        output
    }
}
