//! The same steps on maps and weights of 16 bits.
//!
//! Maps are `bf16`, sums are `f32` until they are written. Each step is a call of the narrow kernels, which divide it among
//! the threads. What has no narrow kernel is widened, computed in `f32` and rounded again. Outputs that nothing else reads
//! stay `f32`.

use super::build::OwnTensors;
use super::fold::Mapping;
use super::lower::{At, Lowered, Step, Store, Value, Work};
use super::source::Numbers;
use crate::error::Result;
use crate::operation::{Arguments, Operation, Remembered};
use cnn_kernels::inference::Affine;
use cnn_kernels::narrow::{Addend, Finish, Origin, ReadMap, Source, Target, Weights, average, bf16, max, transfer};
use cnn_kernels::{
    Buffer, Conv, InstructionSet, LANES, Map, Region, Sink, Store as WideStore, View, copy, from_blocks,
};
use cnn_network::Network;
use std::time::{Duration, Instant};

/// Steps with weights of 16 bits.
#[derive(Debug)]
pub(super) struct NarrowProgram {
    set: InstructionSet,
    pub(super) steps: Vec<NarrowStep>,
    stores: Vec<Store>,
    /// For each store the buffer it lies in, and numbers of an image of each buffer.
    buffers: Vec<usize>,
    lengths: Vec<usize>,
    /// Whether a store is kept in `f32`.
    wide: Vec<bool>,
    outputs: Vec<Value>,
    /// Channels, height and width of an image.
    image: (usize, [usize; 2]),
}

/// A step.
#[derive(Debug)]
pub(super) struct NarrowStep {
    pub(super) node: usize,
    pub(super) work: NarrowWork,
    inputs: Vec<Value>,
    /// What is done to each input's numbers.
    maps: Vec<Option<Affine>>,
    pub(super) output: Value,
}

#[derive(Debug)]
pub(super) enum NarrowWork {
    Conv { weights: Box<Weights<bf16>>, bias: Vec<f32>, relu: bool, residual: Option<Value> },
    Sum { relu: bool },
    Other(Operation),
}

/// The memory of a run.
#[derive(Debug)]
pub(super) struct NarrowWorkspace {
    narrow: Vec<Buffer<bf16>>,
    wide: Vec<Buffer<f32>>,
    work: Buffer<f32>,
    pub(super) capacity: usize,
    pub(super) times: Vec<Duration>,
}

fn store_of(value: &Value) -> Option<usize> {
    match value.at {
        At::Store { store, .. } => Some(store),
        At::Images => None,
    }
}

impl NarrowProgram {
    pub(super) fn new(
        network: &Network,
        mut lowered: Lowered,
        set: InstructionSet,
        numbers: &mut Numbers<'_>,
    ) -> Result<Self> {
        let image = (network.input().channels(), crate::plan::size(network.input()));
        images_first(&mut lowered, image);
        apart(&mut lowered);
        let mut steps = Vec::new();
        for step in &lowered.steps {
            steps.push(NarrowStep::new(network, step, set, numbers)?);
        }
        let Lowered { stores, outputs, .. } = lowered;
        let (buffers, lengths) = share(&steps, &stores, &outputs);
        let wide = (0..stores.len()).map(|store| stays_wide(&steps, &stores, &outputs, store)).collect();
        Ok(Self { set, steps, stores, buffers, lengths, wide, outputs, image })
    }

    /// Bytes that an image takes.
    pub(super) fn bytes_per_image(&self) -> usize {
        self.lengths.iter().fold(0_usize, |all, length| all.saturating_add(length.saturating_mul(size_of::<bf16>())))
    }

    pub(super) fn workspace(&self, images: usize) -> Option<NarrowWorkspace> {
        let numbers = self.lengths.iter().try_fold(0_usize, |all, length| all.checked_add(*length))?;
        if !Buffer::<bf16>::fits(numbers.checked_mul(images)?) {
            return None;
        }
        let wide = |store: usize| if self.wide[store] { self.stores[store].numbers() * images } else { 0 };
        Some(NarrowWorkspace {
            narrow: self.lengths.iter().map(|length| Buffer::zeros(length * images)).collect(),
            wide: (0..self.stores.len()).map(|store| Buffer::zeros(wide(store))).collect(),
            work: Buffer::zeros(0),
            capacity: images,
            times: vec![Duration::ZERO; self.steps.len()],
        })
    }

    fn region(&self, value: &Value, batch: usize) -> Region {
        let Value { channels, size: [height, width], .. } = *value;
        let (first_block, buffer_blocks) = match value.at {
            At::Store { store, first_block } => (first_block, self.stores[store].blocks),
            At::Images => (0, channels.div_ceil(LANES)),
        };
        Region { batch, channels, height, width, first_block, buffer_blocks }
    }

    pub(super) fn run(&self, workspace: &mut NarrowWorkspace, images: &[f32], batch: usize) {
        for (number, step) in self.steps.iter().enumerate() {
            let started = Instant::now();
            self.step(step, workspace, images, batch);
            workspace.times[number] += started.elapsed();
        }
    }

    fn step(&self, step: &NarrowStep, workspace: &mut NarrowWorkspace, images: &[f32], batch: usize) {
        let NarrowWorkspace { narrow, wide, work, .. } = workspace;
        let Some(store) = store_of(&step.output) else { return };
        let region = self.region(&step.output, batch);
        let buffer = self.buffers[store];
        // Lent out, to be written while others are read.
        let mut to = std::mem::replace(&mut narrow[buffer], Buffer::zeros(0));
        let mut to_wide = std::mem::replace(&mut wide[store], Buffer::zeros(0));
        let data = |value: &Value| store_of(value).map_or(&[][..], |store| &narrow[self.buffers[store]][..]);
        let source = |number: usize, region: Region| {
            let map = step.maps[number].as_ref();
            let map = map.map(|map| ReadMap { scale: &map.scale, shift: &map.shift, floor: map.floor[0] });
            Source { map, ..Source::plain(data(&step.inputs[number]), region) }
        };
        let of = |number: usize| source(number, self.region(&step.inputs[number], batch));
        let target = match self.wide[store] {
            true => Target::Wide(&mut to_wide, region),
            false => Target::Narrow(&mut to, region),
        };
        let floor = |relu: bool| relu.then_some(0.0);
        match &step.work {
            NarrowWork::Conv { weights, bias, relu, residual } => {
                let addend = residual.as_ref().map(|value| Addend {
                    data: data(value),
                    region: self.region(value, batch),
                    factor: 1.0,
                });
                let finish = Finish { bias: Some(bias), addend, floor: floor(*relu), ..Finish::default() };
                let source = of(0);
                let needed = weights.workspace(&source.region);
                if work.len() < needed {
                    *work = Buffer::zeros(needed);
                }
                weights.convolve(source, target, &finish, work);
            }
            NarrowWork::Sum { relu } if step.inputs[0].at == At::Images => {
                let (channels, size) = self.image;
                let view = View { data: images, region: Region::new(batch, channels, size), map: Map::Planar };
                let map = step.maps[0].as_ref();
                let finish = Finish {
                    scale: map.map(|map| &map.scale[..channels]),
                    bias: map.map(|map| &map.shift[..channels]),
                    addend: None,
                    floor: floor(*relu || map.is_some_and(|map| map.floor[0] == 0.0)),
                };
                transfer::<bf16>(self.set, Origin::Wide(view), target, &finish);
            }
            NarrowWork::Sum { relu } if step.inputs.len() < 3 && step.maps.get(1).is_none_or(Option::is_none) => {
                let addend = step.inputs.get(1).map(|value| Addend {
                    data: data(value),
                    region: self.region(value, batch),
                    factor: 1.0,
                });
                let finish = Finish { addend, floor: floor(*relu), ..Finish::default() };
                transfer(self.set, Origin::Narrow(of(0)), target, &finish);
            }
            NarrowWork::Other(Operation::MaxPool(pool)) => max(pool, self.set, of(0), target, &Finish::default()),
            NarrowWork::Other(Operation::AveragePool(pool)) => {
                average(pool, self.set, of(0), target, &Finish::default());
            }
            work => {
                let widened = (0..step.inputs.len()).map(|number| {
                    let own = Region { first_block: 0, ..self.region(&step.inputs[number], batch) };
                    let own = Region { buffer_blocks: own.blocks(), ..own };
                    let mut numbers = Buffer::zeros(own.len());
                    let to = Target::Wide(&mut numbers, own);
                    transfer(self.set, Origin::Narrow(of(number)), to, &Finish::default());
                    (numbers, own)
                });
                let widened: Vec<(Buffer<f32>, Region)> = widened.collect();
                let views: Vec<View<'_, f32>> = widened.iter().map(|(data, own)| View::plain(data, *own)).collect();
                let own = Region { first_block: 0, buffer_blocks: region.blocks(), ..region };
                let mut result = Buffer::zeros(own.len());
                let mut relu_after = false;
                match work {
                    NarrowWork::Other(operation) => {
                        let remembered = &mut Remembered::default();
                        let arguments = Arguments { inputs: &views, weights: &[], remembered };
                        operation.forward(self.set, arguments, WideStore::plain(&mut result, own));
                    }
                    NarrowWork::Sum { relu } => {
                        relu_after = *relu;
                        copy::sum(self.set, &views, Sink::store(&mut result, own));
                    }
                    NarrowWork::Conv { .. } => {}
                }
                let finish = Finish { floor: floor(relu_after), ..Finish::default() };
                transfer(self.set, Origin::<bf16>::Wide(View::plain(&result, own)), target, &finish);
            }
        }
        narrow[buffer] = to;
        wide[store] = to_wide;
    }

    /// Writes an output of the last run to `to`: `(N, C, H, W)`.
    pub(super) fn read(&self, workspace: &NarrowWorkspace, output: usize, batch: usize, to: &mut [f32]) {
        let value = &self.outputs[output];
        let Some(store) = store_of(value) else { return };
        let region = self.region(value, batch);
        if self.wide[store] {
            return from_blocks(&workspace.wide[store], &region, to);
        }
        let own = Region { first_block: 0, buffer_blocks: region.blocks(), ..region };
        let mut numbers = Buffer::zeros(own.len());
        let source = Source::plain(&workspace.narrow[self.buffers[store]][..], region);
        transfer(self.set, Origin::Narrow(source), Target::Wide(&mut numbers, own), &Finish::default());
        from_blocks(&numbers, &own, to);
    }
}

impl NarrowStep {
    /// What it reads.
    fn reads(&self) -> impl Iterator<Item = &Value> {
        let residual = match &self.work {
            NarrowWork::Conv { residual, .. } => residual.as_ref(),
            _ => None,
        };
        self.inputs.iter().chain(residual)
    }

    fn new(network: &Network, step: &Step, set: InstructionSet, numbers: &mut Numbers<'_>) -> Result<Self> {
        let mut inputs = step.inputs.clone();
        let work = match &step.work {
            Work::Conv { conv, chain, residual } => {
                let (weights, bias) = packed(network, step, conv, set, numbers)?;
                NarrowWork::Conv { weights, bias, relu: chain.relu, residual: residual.clone() }
            }
            Work::Linear { chain } => {
                // A map taken channel by channel is what a kernel as large as the map sees.
                let conv = Conv {
                    in_channels: inputs[0].channels,
                    out_channels: step.output.channels,
                    groups: 1,
                    kernel: inputs[0].size,
                    stride: [1; 2],
                    padding: [0; 2],
                    dilation: [1; 2],
                };
                inputs[0].vector = false;
                let (weights, bias) = packed(network, step, &conv, set, numbers)?;
                NarrowWork::Conv { weights, bias, relu: chain.relu, residual: None }
            }
            Work::Sum { relu } => NarrowWork::Sum { relu: *relu },
            Work::Other(operation) => NarrowWork::Other(operation.clone()),
        };
        let maps = inputs.iter().map(|value| value.map.affine(network, value.channels, numbers));
        let maps = maps.collect::<Result<_>>()?;
        Ok(Self { node: step.node, work, inputs, maps, output: step.output.clone() })
    }
}

fn packed(
    network: &Network,
    step: &Step,
    conv: &Conv,
    set: InstructionSet,
    numbers: &mut Numbers<'_>,
) -> Result<(Box<Weights<bf16>>, Vec<f32>)> {
    let OwnTensors { weights, factors, bias } = OwnTensors::of(network, step, numbers)?;
    let each = weights.len() / factors.len().max(1);
    let scaled =
        weights.chunks(each.max(1)).zip(&factors).flat_map(|(own, factor)| own.iter().map(move |x| x * factor));
    let scaled: Vec<f32> = scaled.collect();
    Ok((Box::new(Weights::<bf16>::new(conv, set, &scaled)), bias))
}

/// Images are brought into a store before anything reads them.
fn images_first(lowered: &mut Lowered, (channels, size): (usize, [usize; 2])) {
    let reads = |step: &Step| step.inputs.iter().any(|input| input.at == At::Images);
    let only_copies = lowered
        .steps
        .iter()
        .all(|step| !reads(step) || matches!(step.work, Work::Sum { .. }) && step.inputs.len() == 1);
    if only_copies {
        return;
    }
    let store = lowered.stores.len();
    lowered.stores.push(Store { blocks: channels.div_ceil(LANES), size });
    let at = At::Store { store, first_block: 0 };
    let images = Value { at: At::Images, channels, size, map: Mapping::default(), vector: false };
    for input in lowered.steps.iter_mut().flat_map(|step| &mut step.inputs).filter(|input| input.at == At::Images) {
        input.at = at;
    }
    let output = Value { at, ..images.clone() };
    let step = Step { node: 0, work: Work::Sum { relu: false }, inputs: vec![images], output };
    lowered.steps.insert(0, step);
}

/// A step that would write to a store it reads writes to a store of its own first.
fn apart(lowered: &mut Lowered) {
    let mut number = 0;
    while number < lowered.steps.len() {
        let step = &lowered.steps[number];
        let own = store_of(&step.output);
        if step.reads().any(|input| store_of(input) == own && own.is_some()) {
            let output = step.output.clone();
            let store = lowered.stores.len();
            lowered.stores.push(Store { blocks: output.channels.div_ceil(LANES), size: output.size });
            let between = Value { at: At::Store { store, first_block: 0 }, ..output.clone() };
            let node = step.node;
            lowered.steps[number].output = between.clone();
            let copy = Step { node, work: Work::Sum { relu: false }, inputs: vec![between], output };
            lowered.steps.insert(number + 1, copy);
        }
        number += 1;
    }
}

/// Which stores share a buffer: one that is free takes the next store, the one whose length is nearest.
fn share(steps: &[NarrowStep], stores: &[Store], outputs: &[Value]) -> (Vec<usize>, Vec<usize>) {
    let mut last = vec![0; stores.len()];
    for (time, step) in steps.iter().enumerate() {
        step.reads().chain([&step.output]).filter_map(store_of).for_each(|store| last[store] = time);
    }
    outputs.iter().filter_map(store_of).for_each(|store| last[store] = steps.len());
    let length = |store: usize| stores[store].numbers();
    let (mut buffers, mut lengths) = (vec![usize::MAX; stores.len()], Vec::<usize>::new());
    // Until when each buffer is taken.
    let mut taken: Vec<Option<usize>> = Vec::new();
    for (time, step) in steps.iter().enumerate() {
        for until in &mut taken {
            *until = until.filter(|until| *until >= time);
        }
        let Some(store) = store_of(&step.output).filter(|store| buffers[*store] == usize::MAX) else { continue };
        let free = (0..lengths.len()).filter(|buffer| taken[*buffer].is_none());
        let buffer = free.min_by_key(|buffer| lengths[*buffer].abs_diff(length(store))).unwrap_or(lengths.len());
        if buffer == lengths.len() {
            lengths.push(0);
            taken.push(None);
        }
        lengths[buffer] = lengths[buffer].max(length(store));
        (buffers[store], taken[buffer]) = (buffer, Some(last[store]));
    }
    // Stores that no step fills are never read.
    buffers.iter_mut().filter(|buffer| **buffer == usize::MAX).for_each(|buffer| *buffer = 0);
    (buffers, lengths)
}

/// Whether a store is an output's alone, and filled by one step.
fn stays_wide(steps: &[NarrowStep], stores: &[Store], outputs: &[Value], store: usize) -> bool {
    let is = |value: &Value| store_of(value) == Some(store);
    let whole = |value: &Value| value.channels.div_ceil(LANES) == stores[store].blocks;
    outputs.iter().any(is)
        && steps.iter().filter(|step| is(&step.output)).count() == 1
        && steps.iter().all(|step| (!is(&step.output) || whole(&step.output)) && !step.reads().any(is))
}
