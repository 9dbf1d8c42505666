//! From lowered steps to a program with packed weights.

use super::fold::{Mapping, line};
use super::lifetime::{Room, arrange};
use super::lower::{At, Lowered, Step, Value, Work};
use super::options::InferenceOptions;
use super::weights::Numbers;
use crate::error::{Error, Result};
use crate::operation::{Arguments, Operation, Remembered, dense};
use cnn_kernels::inference::{
    self as kernels, Builder, ConvAlgorithm, Convolution, Custom, Finish, LinearLayer, Machine, Place, Program, Tensors,
};
use cnn_kernels::{Conv, InstructionSet, LANES, Store as Sink, View};
use cnn_network::{Network, Op};
use std::sync::Arc;

/// A program, the places of its outputs, and for each of its steps the node it begins with.
pub(super) struct Built {
    pub(super) program: Program,
    pub(super) outputs: Vec<Place>,
    pub(super) nodes: Vec<usize>,
}

/// Where everything lies.
struct Layout<'l> {
    lowered: &'l Lowered,
    /// The offset of each store, and of each step's own memory.
    stores: Vec<usize>,
    own: Vec<usize>,
    numbers: usize,
    algorithms: Vec<ConvAlgorithm>,
}

/// Builds the program of a network.
pub(super) fn build(
    network: &Network,
    lowered: &Lowered,
    options: &InferenceOptions<'_>,
    weights: &mut Numbers<'_>,
) -> Result<Built> {
    let layout = Layout::new(lowered, options);
    let set = options.set.unwrap_or_else(InstructionSet::chosen);
    let mut builder = Builder::new(set, network.input().elements(), layout.numbers);
    for (number, step) in lowered.steps.iter().enumerate() {
        let refused = |why: kernels::Refused| Error::Refused {
            path: network.nodes()[step.node].path.clone(),
            why: why.to_string(),
        };
        let made = layout.step(network, number, weights)?;
        let packed = match builder.packed_lens(&made) {
            None => None,
            Some(_) => {
                let tensors = OwnTensors::of(network, step, weights)?;
                Some(builder.pack(&made, tensors.borrow()).map_err(refused)?)
            }
        };
        builder.push(made, packed).map_err(refused)?;
    }
    let outputs = lowered.outputs.iter().map(|value| layout.place(value)).collect();
    let nodes = lowered.steps.iter().map(|step| step.node).collect();
    Ok(Built { program: builder.build(), outputs, nodes })
}

/// The tensors of a convolution or a linear layer, what follows it folded in.
struct OwnTensors<'w> {
    weights: std::borrow::Cow<'w, [f32]>,
    factors: Vec<f32>,
    bias: Vec<f32>,
}

impl<'w> OwnTensors<'w> {
    fn of(network: &Network, step: &Step, numbers: &mut Numbers<'w>) -> Result<Self> {
        let node = &network.nodes()[step.node];
        let outs = step.output.channels;
        let (Work::Conv { chain, .. } | Work::Linear { chain }) = &step.work else {
            unreachable!("only convolutions and linear layers have tensors")
        };
        let line = line(network, &chain.affines, outs, numbers)?;
        let mut bias = line.shift;
        if let Some(spec) = node.tensors.get(1) {
            let own = numbers.numbers(network, &spec.name)?;
            bias.iter_mut().zip(&line.scale).zip(own.iter()).for_each(|((bias, scale), own)| {
                *bias += scale * f64::from(*own);
            });
        }
        let mut weights = numbers.numbers(network, &node.tensors[0].name)?;
        if let (Work::Conv { conv, .. }, Op::Conv(op)) = (&step.work, &node.op)
            && op.connections.is_some()
        {
            weights = dense(&weights, &op.connections, conv.in_channels).into_owned().into();
        }
        let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
        Ok(Self { weights, factors: narrow(line.scale), bias: narrow(bias) })
    }

    fn borrow(&self) -> Tensors<'_> {
        Tensors { weights: &self.weights, factors: &self.factors, bias: &self.bias }
    }
}

/// The algorithm of a convolution.
fn choose(conv: &Conv, input: &Value, output: &Value, batch: usize) -> ConvAlgorithm {
    if input.at == At::Images {
        return ConvAlgorithm::Direct;
    }
    let cost = |algorithm: &ConvAlgorithm| kernels::cost(*algorithm, conv, output.size, batch, Machine::USUAL);
    let suits = ConvAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.suits(conv));
    suits.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(ConvAlgorithm::Direct)
}

impl<'l> Layout<'l> {
    fn new(lowered: &'l Lowered, options: &InferenceOptions<'_>) -> Self {
        let batch = options.usual_batch.max(1);
        let algorithm = |step: &Step| match &step.work {
            Work::Conv { conv, .. } => choose(conv, &step.inputs[0], &step.output, batch),
            _ => ConvAlgorithm::Direct,
        };
        let algorithms: Vec<ConvAlgorithm> = lowered.steps.iter().map(algorithm).collect();
        let end = lowered.steps.len();
        let mut rooms: Vec<Room> = lowered
            .stores
            .iter()
            .map(|store| Room { numbers: store.blocks * store.size[0] * store.size[1] * LANES, first: end, last: 0 })
            .collect();
        let mut used = |value: &Value, time: usize| {
            if let At::Store { store, .. } = value.at {
                rooms[store].first = rooms[store].first.min(time);
                rooms[store].last = rooms[store].last.max(time);
            }
        };
        for (time, step) in lowered.steps.iter().enumerate() {
            step.inputs.iter().chain([&step.output]).for_each(|value| used(value, time));
            if let Work::Conv { residual: Some(residual), .. } = &step.work {
                used(residual, time);
            }
        }
        lowered.outputs.iter().for_each(|value| used(value, end));
        let own = lowered.steps.iter().zip(&algorithms).enumerate().map(|(time, (step, algorithm))| {
            let numbers = match &step.work {
                Work::Conv { conv, .. } => kernels::transformed_len(conv, step.output.size, *algorithm),
                Work::Linear { .. } => {
                    let Value { channels, size, .. } = step.inputs[0];
                    channels.next_multiple_of(LANES) * size[0] * size[1]
                }
                _ => 0,
            };
            Room { numbers, first: time, last: time }
        });
        let own: Vec<Room> = own.collect();
        rooms.extend(own);
        let (mut stores, numbers) = arrange(&rooms);
        let own = stores.split_off(lowered.stores.len());
        Self { lowered, stores, own, numbers, algorithms }
    }

    fn place(&self, value: &Value) -> Place {
        let At::Store { store, first_block } = value.at else { unreachable!("images have no place") };
        Place {
            offset: self.stores[store],
            channels: value.channels,
            size: value.size,
            first_block,
            store_blocks: self.lowered.stores[store].blocks,
        }
    }

    fn map(
        &self,
        network: &Network,
        (map, channels): (&Mapping, usize),
        weights: &mut Numbers<'_>,
    ) -> Result<Option<Arc<kernels::Affine>>> {
        if map.is_none() {
            return Ok(None);
        }
        Ok(Some(Arc::new(map.affine(network, channels, weights)?)))
    }

    fn input(&self, network: &Network, value: &Value, weights: &mut Numbers<'_>) -> Result<kernels::Input> {
        let map = self.map(network, (&value.map, value.channels), weights)?;
        Ok(match value.at {
            At::Images => kernels::Input::Images { channels: value.channels, size: value.size, map },
            At::Store { .. } => kernels::Input::Value { place: self.place(value), map },
        })
    }

    fn step(&self, network: &Network, number: usize, weights: &mut Numbers<'_>) -> Result<kernels::Step> {
        let step = &self.lowered.steps[number];
        let output = self.place(&step.output);
        let inputs: Vec<kernels::Input> =
            step.inputs.iter().map(|value| self.input(network, value, weights)).collect::<Result<_>>()?;
        let first = || inputs[0].clone();
        Ok(match &step.work {
            Work::Conv { conv, chain, residual } => kernels::Step::Convolution(Convolution {
                input: first(),
                output,
                conv: *conv,
                algorithm: self.algorithms[number],
                finish: Finish { residual: residual.as_ref().map(|value| self.place(value)), relu: chain.relu },
                transformed: self.own[number],
            }),
            Work::Linear { chain } => {
                let input = &step.inputs[0];
                kernels::Step::Linear(LinearLayer {
                    input: self.place(input),
                    map: self.map(network, (&input.map, input.channels), weights)?,
                    output,
                    finish: Finish { residual: None, relu: chain.relu },
                    gathered: self.own[number],
                })
            }
            Work::Sum { relu } => kernels::Step::Sum { inputs, output, relu: *relu },
            Work::Other(Operation::MaxPool(max)) => kernels::Step::MaxPool { max: *max, input: first(), output },
            Work::Other(Operation::AveragePool(average)) => {
                kernels::Step::AveragePool { average: average.clone(), input: first(), output }
            }
            Work::Other(operation) => {
                let operation = operation.clone();
                let run = move |set: InstructionSet, inputs: &[View<'_, f32>], sink: Sink<'_, f32>| {
                    let remembered = &mut Remembered::default();
                    operation.forward(set, Arguments { inputs, weights: &[], remembered }, sink);
                };
                kernels::Step::Custom(Custom { inputs, output, run: Arc::new(run) })
            }
        })
    }
}
