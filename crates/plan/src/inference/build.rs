//! From lowered steps to a program with packed weights.

use super::fold::line;
use super::fusion::Chain;
use super::lifetime::{Room, arrange};
use super::lower::{At, Lowered, Step, Value, Work, is_native};
use super::numbers::Numbers;
use super::options::{InferenceOptions, usual};
use super::report::About;
use super::source::{Source, refused};
use crate::error::{Error, Result};
use crate::operation::{Arguments, Operation, Remembered, dense};
use cnn_kernels::inference::{
    self as kernels, Builder, Choice, Convolution, Custom, Finish, LinearLayer, Number, Packed, Place, Products,
    Program, Tensors,
};
use cnn_kernels::{Conv, InstructionSet, Store as Sink, View};
use cnn_network::{Network, Op};
use std::sync::Arc;

/// A program, and what a plan knows of it.
pub(super) struct Built {
    pub(super) program: Program,
    /// The places of the outputs.
    pub(super) outputs: Vec<Place>,
    /// What is known of the lowered steps; and of each step of the program, which of these it belongs to.
    pub(super) about: Vec<About>,
    pub(super) of: Vec<usize>,
    /// The numbers that a file keeps, in the order in which a plan asks for them.
    pub(super) kept: Vec<kernels::Numbers>,
}

/// Where everything lies.
struct Layout<'l> {
    lowered: &'l Lowered,
    /// The spot of each store, and of each step's own memory.
    stores: Vec<Spot>,
    own: Vec<Spot>,
    /// Numbers of the memory of one image, and for each image of that of all.
    numbers: [usize; 2],
    choices: Vec<Choice>,
    /// Steps at the beginning that run image by image.
    alone: usize,
}

/// An offset in the memory of one image, or in that of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot {
    pub(super) alone: bool,
    pub(super) offset: usize,
}

/// Bytes of an image's maps from which on steps run image by image: those of several would not stay in the last cache.
const LARGE: usize = 1 << 20;
/// Bytes of all weights of these steps at most: they are read for each image.
const WEIGHTS: usize = 12 << 20;

/// Builds the program of a network.
pub(super) fn build(
    network: &Network,
    lowered: &Lowered,
    options: &InferenceOptions<'_>,
    source: &mut Source<'_>,
) -> Result<Built> {
    let layout = Layout::new(lowered, options);
    let packed = lowered.steps.iter().zip(&layout.choices).map(|(step, choice)| grown(weights_of(step), *choice));
    ask(network, packed.sum::<usize>() * size_of::<f32>(), source)?;
    let mut builder = Builder::new(options.set(), network.input().elements(), layout.numbers);
    let (mut about, mut kept) = (Vec::new(), Vec::new());
    for (number, step) in lowered.steps.iter().enumerate() {
        let path = &network.nodes()[step.node].path;
        let made = layout.step(network, number, source)?;
        let packed = match builder.packed_lens(&made) {
            None => None,
            Some(_) => Some(source.packed(|numbers| pack(&builder, network, (step, &made), numbers))?),
        };
        about.push(about_step(&made, packed.as_ref(), step.node));
        kept.extend(runs(&made, packed.as_ref()));
        builder.push(made, packed).map_err(|why| refused(path, &why))?;
        if number + 1 == layout.alone {
            builder.image_by_image().map_err(|why| refused(path, &why))?;
        }
    }
    let outputs = lowered.outputs.iter().map(|value| layout.place(value)).collect();
    let program = builder.build().map_err(|why| refused(&network.output().path, &why))?;
    let of = (0..about.len()).collect();
    Ok(Built { program, outputs, about, of, kept })
}

/// Numbers of a step's weights as they are.
pub(super) fn weights_of(step: &Step) -> usize {
    match &step.work {
        Work::Conv { conv, .. } => conv.weights(),
        Work::Linear { .. } => {
            let Value { channels, size, .. } = step.inputs[0];
            channels * size[0] * size[1] * step.output.channels
        }
        _ => 0,
    }
}

/// So many weights of a convolution as an algorithm packs them.
pub(super) fn grown(weights: usize, choice: Choice) -> usize {
    (weights as f64 * choice.growth()) as usize
}

/// Refuses packed weights of more bytes than there are. Those of a file stay in it.
pub(super) fn ask(network: &Network, bytes: usize, source: &Source<'_>) -> Result<()> {
    if let Source::File(_) = source {
        return Ok(());
    }
    cnn_system::memory::ask(cnn_system::Bytes::of(bytes))
        .map_err(|shortage| Error::PackedWeights { network: network.name().to_string(), shortage })
}

/// The numbers of a step that a file keeps.
fn runs(step: &kernels::Step, packed: Option<&Packed>) -> Vec<kernels::Numbers> {
    let maps = step.inputs().into_iter().filter_map(kernels::Input::map);
    let of_linear = match step {
        kernels::Step::Linear(linear) => linear.map.as_deref(),
        _ => None,
    };
    let maps = maps.chain(of_linear).flat_map(|map| [&map.scale[..], &map.shift, &map.floor]);
    maps.map(kernels::Numbers::from)
        .chain(packed.into_iter().flat_map(|own| [own.weights.clone(), own.bias.clone()]))
        .collect()
}

fn about_step(step: &kernels::Step, packed: Option<&Packed>, node: usize) -> About {
    let numbers = |place: &Place| place.channels * place.pixels();
    // The images that a plan is given lie in no place of its own.
    let of_images = |input: &&kernels::Input| match input {
        kernels::Input::Images { channels, size, .. } => channels * size[0] * size[1],
        kernels::Input::Value { .. } => 0,
    };
    let images: usize = step.inputs().iter().map(of_images).sum();
    let values = images + step.reads().iter().chain([step.output()]).map(numbers).sum::<usize>();
    let mut predicted = None;
    let (algorithm, macs) = match step {
        kernels::Step::Convolution(step) => {
            predicted = Some(((step.choice.algorithm, Products::F32), step.conv, step.output.size));
            (step.choice.algorithm.name(), step.conv.weights() * step.output.pixels())
        }
        kernels::Step::Linear(step) => ("linear", numbers(&step.input) * step.output.channels),
        kernels::Step::MaxPool { .. } => ("max pool", 0),
        kernels::Step::AveragePool { .. } => ("average pool", 0),
        kernels::Step::Sum { .. } => ("sum", 0),
        kernels::Step::Narrow(_) | kernels::Step::Custom(_) => ("other", 0),
    };
    About {
        macs,
        weight_bytes: packed.map_or(0, |packed| size_of_val(packed.weights.get())),
        value_bytes: values * size_of::<f32>(),
        predicted,
        ..About::other(node, algorithm)
    }
}

/// Packs the weights of a step, those of a linear layer some rows after the others.
pub(super) fn pack(
    builder: &Builder,
    network: &Network,
    (step, made): (&Step, &kernels::Step),
    numbers: &mut Numbers<'_>,
) -> Result<Packed> {
    let node = &network.nodes()[step.node];
    let refused = |why| refused(&node.path, &why);
    match &step.work {
        Work::Linear { chain } => {
            let Folded { factors, bias } = Folded::of(network, step, chain, numbers)?;
            let mut packing = builder.pack_linear(made, &factors, &bias).map_err(refused)?;
            let part = packing.part();
            numbers.in_parts(network, &node.tensors[0].name, part, |rows| packing.push(rows).map_err(refused))?;
            packing.packed().map_err(refused)
        }
        _ => {
            let OwnTensors { weights, factors, bias } = OwnTensors::of(network, step, numbers)?;
            builder.pack(made, Tensors { weights: &weights, factors: &factors, bias: &bias }).map_err(refused)
        }
    }
}

/// What is folded into a convolution or a linear layer: a factor for each output's weights, and the bias.
struct Folded {
    factors: Vec<f32>,
    bias: Vec<f32>,
}

impl Folded {
    fn of(network: &Network, step: &Step, chain: &Chain, numbers: &mut Numbers<'_>) -> Result<Self> {
        let line = line(network, &chain.affines, step.output.channels, numbers)?;
        let mut bias = line.shift;
        if let Some(spec) = network.nodes()[step.node].tensors.get(1) {
            let own = numbers.numbers(network, &spec.name)?;
            bias.iter_mut().zip(&line.scale).zip(own.iter()).for_each(|((bias, scale), own)| {
                *bias += scale * f64::from(*own);
            });
        }
        let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
        Ok(Self { factors: narrow(line.scale), bias: narrow(bias) })
    }
}

/// The tensors of a convolution or a linear layer, what follows it folded in.
pub(super) struct OwnTensors<'w> {
    pub(super) weights: std::borrow::Cow<'w, [f32]>,
    pub(super) factors: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl<'w> OwnTensors<'w> {
    pub(super) fn of(network: &Network, step: &Step, numbers: &mut Numbers<'w>) -> Result<Self> {
        let node = &network.nodes()[step.node];
        let (Work::Conv { chain, .. } | Work::Linear { chain }) = &step.work else {
            unreachable!("only convolutions and linear layers have tensors")
        };
        let Folded { factors, bias } = Folded::of(network, step, chain, numbers)?;
        let mut weights = numbers.numbers(network, &node.tensors[0].name)?;
        if let (Work::Conv { conv, .. }, Op::Conv(op)) = (&step.work, &node.op)
            && op.connections.is_some()
        {
            weights = dense(&weights, &op.connections, conv.in_channels).into_owned().into();
        }
        Ok(Self { weights, factors, bias })
    }
}

/// How a convolution is computed.
pub(super) fn choose(
    (conv, products): (&Conv, Products),
    input: &Value,
    output: &Value,
    options: &InferenceOptions<'_>,
) -> Choice {
    let batch = usual(options.usual_batch);
    match options.algorithm {
        _ if input.at == At::Images => Choice::DIRECT,
        Some(algorithm) if algorithm.suits(conv) => Choice::of(algorithm, conv, output.size, batch),
        Some(_) => Choice::DIRECT,
        None => Choice::fastest(products, conv, output.size, batch),
    }
}

/// How many steps at the beginning run image by image, up to the first that cannot: those with large maps, if they have few
/// weights. Numbers of values and weights have so many bytes; `growth` says how many times as many a step's weights are as
/// they are packed.
pub(super) fn image_by_image(
    lowered: &Lowered,
    bytes: usize,
    growth: impl Fn(usize) -> f64,
    cannot: impl Fn(usize) -> bool,
) -> usize {
    let (mut weights, mut last) = (0, 0);
    for (number, step) in lowered.steps.iter().enumerate() {
        if let Work::Conv { conv, .. } = &step.work {
            weights += (conv.weights() as f64 * growth(number)) as usize * bytes;
        }
        let whole = match &step.work {
            Work::Conv { .. } | Work::Sum { .. } => false,
            Work::Other(operation) => !is_native(operation),
            Work::Linear { .. } => true,
        };
        if whole || weights > WEIGHTS || cannot(number) {
            break;
        }
        if step.output.channels * step.output.size[0] * step.output.size[1] * bytes >= LARGE {
            last = number + 1;
        }
    }
    last
}

/// From which step to which each store is used, and how long it is.
pub(super) fn rooms_of_stores(lowered: &Lowered, length: impl Fn(usize) -> usize) -> Vec<Room> {
    let end = lowered.steps.len();
    let mut rooms: Vec<Room> =
        (0..lowered.stores.len()).map(|store| Room { numbers: length(store), first: end, last: 0 }).collect();
    let mut used = |value: &Value, time: usize| {
        if let At::Store { store, .. } = value.at {
            rooms[store].first = rooms[store].first.min(time);
            rooms[store].last = rooms[store].last.max(time);
        }
    };
    for (time, step) in lowered.steps.iter().enumerate() {
        step.reads().chain([&step.output]).for_each(|value| used(value, time));
    }
    lowered.outputs.iter().for_each(|value| used(value, end));
    rooms
}

/// Arranges what lives within the first steps in the memory of one image, and the rest in that of all. What those steps
/// leave lives from the beginning, since they run again for each image.
pub(super) fn both(rooms: Vec<Room>, alone: usize) -> (Vec<Spot>, [usize; 2]) {
    let within = |room: &Room| room.last < alone;
    let (own, others): (Vec<usize>, Vec<usize>) = (0..rooms.len()).partition(|room| within(&rooms[*room]));
    let mut spots = vec![Spot::default(); rooms.len()];
    let mut numbers = [0; 2];
    for (kind, (chosen, alone_here)) in [(own, true), (others, false)].into_iter().enumerate() {
        let lives = |room: &usize| {
            let room = rooms[*room];
            Room { first: if !alone_here && room.first < alone { 0 } else { room.first }, ..room }
        };
        let (offsets, length) = arrange(&chosen.iter().map(lives).collect::<Vec<_>>());
        numbers[kind] = length;
        for (room, offset) in chosen.into_iter().zip(offsets) {
            spots[room] = Spot { alone: alone_here, offset };
        }
    }
    (spots, numbers)
}

impl<'l> Layout<'l> {
    fn new(lowered: &'l Lowered, options: &InferenceOptions<'_>) -> Self {
        let choice = |step: &Step| match &step.work {
            Work::Conv { conv, .. } => choose((conv, Products::F32), &step.inputs[0], &step.output, options),
            _ => Choice::DIRECT,
        };
        let choices: Vec<Choice> = lowered.steps.iter().map(choice).collect();
        let mut rooms = rooms_of_stores(lowered, |store| lowered.stores[store].numbers());
        let own = lowered.steps.iter().zip(&choices).enumerate().map(|(time, (step, choice))| {
            let numbers = match &step.work {
                Work::Conv { conv, .. } => kernels::transformed_len(conv, step.output.size, *choice),
                Work::Linear { .. } => {
                    let Value { channels, size, .. } = step.inputs[0];
                    kernels::gathered_len(channels, size)
                }
                _ => 0,
            };
            Room { numbers, first: time, last: time }
        });
        let own: Vec<Room> = own.collect();
        rooms.extend(own);
        let alone = image_by_image(lowered, size_of::<f32>(), |number| choices[number].growth(), |_| false);
        let (mut stores, numbers) = both(rooms, alone);
        let own = stores.split_off(lowered.stores.len());
        Self { lowered, stores, own, numbers, choices, alone }
    }

    fn place(&self, value: &Value) -> Place {
        let At::Store { store, first_block } = value.at else { unreachable!("images have no place") };
        let Spot { alone, offset } = self.stores[store];
        Place {
            alone,
            offset,
            channels: value.channels,
            size: value.size,
            first_block,
            store_blocks: self.lowered.stores[store].blocks,
            number: Number::F32,
        }
    }

    fn input(&self, network: &Network, value: &Value, source: &mut Source<'_>) -> Result<kernels::Input> {
        let map = source.map(network, &value.map, value.channels)?.map(Arc::new);
        Ok(match value.at {
            At::Images => kernels::Input::Images { channels: value.channels, size: value.size, map },
            At::Store { .. } => kernels::Input::Value { place: self.place(value), map },
        })
    }

    fn step(&self, network: &Network, number: usize, source: &mut Source<'_>) -> Result<kernels::Step> {
        let step = &self.lowered.steps[number];
        let output = self.place(&step.output);
        let inputs: Vec<kernels::Input> =
            step.inputs.iter().map(|value| self.input(network, value, source)).collect::<Result<_>>()?;
        let first = || inputs[0].clone();
        Ok(match &step.work {
            Work::Conv { conv, chain, residual } => kernels::Step::Convolution(Convolution {
                input: first(),
                output,
                conv: *conv,
                choice: self.choices[number],
                finish: Finish { residual: residual.as_ref().map(|value| self.place(value)), relu: chain.relu },
                transformed: self.own[number].offset,
                alone: self.own[number].alone,
            }),
            Work::Linear { chain } => {
                let kernels::Input::Value { place: input, map } = first() else { unreachable!("a value in a store") };
                kernels::Step::Linear(LinearLayer {
                    input,
                    map,
                    output,
                    finish: Finish { residual: None, relu: chain.relu },
                    gathered: self.own[number].offset,
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
