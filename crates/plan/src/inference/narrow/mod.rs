//! The same steps on narrow numbers: maps and weights of 16 bits, or of 8 with a scale and a zero point.
//!
//! Each step is a call of the narrow kernels, which divide it among the threads. What has no narrow kernel is computed in
//! `f32` between; maps that nothing else reads, and outputs, stay `f32`.

mod arrange;
mod number;
mod pictures;
mod scales;
mod step;

use super::calibration::Calibration;
use super::lower::{At, Lowered, Store, Value};
use super::source::Source;
use crate::error::Result;
use crate::operation::{Arguments, Operation, Remembered};
use arrange::{apart, filled_at_once, images_first, share, store_of};
use cnn_kernels::narrow::{Origin, ReadMap, Requantisation, Source as From, Target, average, max, transfer};
use cnn_kernels::{Buffer, InstructionSet, LANES, Map, Region, Store as WideStore, View, from_blocks};
use cnn_network::Network;
pub(super) use number::Narrow;
use number::REAL;
use pictures::Pictures;
use scales::Scales;
use std::time::{Duration, Instant};
use step::{Input, from_numbers, why_wide};
pub(super) use step::{NarrowStep, NarrowWork, Run};

/// Steps with narrow numbers.
#[derive(Debug)]
pub(super) struct NarrowProgram<F: Narrow> {
    set: InstructionSet,
    pub(super) steps: Vec<NarrowStep<F>>,
    stores: Vec<Store>,
    /// Whether a store is kept in `f32`; the buffer of its kind that it lies in.
    wide: Vec<bool>,
    buffers: Vec<usize>,
    /// Numbers of an image of each narrow buffer, and of each wide one.
    lengths: [Vec<usize>; 2],
    /// Each with what takes it to real numbers.
    outputs: Vec<(Value, Requantisation)>,
    /// Channels, height and width of an image.
    image: (usize, [usize; 2]),
}

/// The memory of a run.
#[derive(Debug)]
pub(super) struct NarrowWorkspace<F> {
    narrow: Vec<Buffer<F>>,
    wide: Vec<Buffer<f32>>,
    work: Buffer<f32>,
    pub(super) capacity: usize,
    pub(super) times: Vec<Duration>,
}

impl<F: Narrow> NarrowProgram<F> {
    pub(super) fn new(
        network: &Network,
        mut lowered: Lowered,
        set: InstructionSet,
        calibration: Option<&Calibration>,
        source: &mut Source<'_>,
    ) -> Result<Self> {
        let image = (network.input().channels(), crate::plan::size(network.input()));
        images_first(&mut lowered, image);
        apart(&mut lowered);
        let pictures = F::PICTURES.and_then(|write| Some((write, Pictures::first(&mut lowered)?)));
        let wide: Vec<bool> = (0..lowered.stores.len()).map(|store| stays_wide::<F>(&lowered, store)).collect();
        let scales = Scales::new(network, calibration, &lowered, &wide)?;
        let steps = lowered.steps.iter().enumerate().map(|(number, step)| {
            let pictures = pictures.as_ref().map(|(_, pictures)| pictures).filter(|pictures| pictures.reader == number);
            NarrowStep::new(network, (step, pictures), set, &scales, source)
        });
        let mut steps = steps.collect::<Result<Vec<_>>>()?;
        if let Some((write, Pictures { copy, cells, .. })) = pictures {
            let zero = F::zero(scales.of_store(&steps[copy].output));
            steps[copy].work = NarrowWork::Pictures { write, cells, zero };
        }
        let (mut buffers, narrow) = share(&lowered, |store| !wide[store]);
        let (of_wide, wide_lengths) = share(&lowered, |store| wide[store]);
        buffers
            .iter_mut()
            .zip(of_wide)
            .zip(&wide)
            .for_each(|((own, other), wide)| *own = if *wide { other } else { *own });
        let Lowered { stores, outputs, .. } = lowered;
        let outputs = outputs.into_iter().map(|value| {
            let widened = from_numbers((scales.of_store(&value), None), value.channels, None, REAL, false);
            (value, widened)
        });
        let outputs = outputs.collect();
        Ok(Self { set, steps, stores, wide, buffers, lengths: [narrow, wide_lengths], outputs, image })
    }

    /// The numbers that a file keeps, in the order in which a plan asks for them.
    pub(super) fn runs(&self) -> Vec<Run<'_>> {
        self.steps.iter().flat_map(NarrowStep::runs).collect()
    }

    /// Bytes that an image takes.
    pub(super) fn bytes_per_image(&self) -> usize {
        let bytes = |lengths: &[usize], each: usize| {
            lengths.iter().fold(0_usize, |all, length| all.saturating_add(length.saturating_mul(each)))
        };
        bytes(&self.lengths[0], size_of::<F>()).saturating_add(bytes(&self.lengths[1], size_of::<f32>()))
    }

    pub(super) fn workspace(&self, images: usize) -> Option<NarrowWorkspace<F>> {
        if !Buffer::<u8>::fits(self.bytes_per_image().checked_mul(images)?) {
            return None;
        }
        Some(NarrowWorkspace {
            narrow: self.lengths[0].iter().map(|length| Buffer::zeros(length * images)).collect(),
            wide: self.lengths[1].iter().map(|length| Buffer::zeros(length * images)).collect(),
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

    pub(super) fn run(&self, workspace: &mut NarrowWorkspace<F>, images: &[f32], batch: usize) {
        for (number, step) in self.steps.iter().enumerate() {
            let started = Instant::now();
            self.step(step, workspace, images, batch);
            workspace.times[number] += started.elapsed();
        }
    }

    fn step(&self, step: &NarrowStep<F>, workspace: &mut NarrowWorkspace<F>, images: &[f32], batch: usize) {
        let NarrowWorkspace { narrow, wide, work, .. } = workspace;
        let Some(store) = store_of(&step.output) else { return };
        let (region, buffer) = (self.region(&step.output, batch), self.buffers[store]);
        // Lent out, to be written while others are read.
        let (mut to, mut to_wide) = (Buffer::zeros(0), Buffer::zeros(0));
        match self.wide[store] {
            true => std::mem::swap(&mut to_wide, &mut wide[buffer]),
            false => std::mem::swap(&mut to, &mut narrow[buffer]),
        }
        let target = match self.wide[store] {
            true => Target::Wide(&mut to_wide, region),
            false => Target::Narrow(&mut to, region),
        };
        let data = |value: &Value| store_of(value).map_or(&[][..], |store| &narrow[self.buffers[store]][..]);
        let addend = step.addend.as_ref().map(|value| (data(value), self.region(value, batch)));
        let finish = step.finish.finish(addend);
        let first = &step.inputs[0];
        let source = || {
            let map = first.map.as_ref();
            let map = map.map(|map| ReadMap { scale: &map.scale, shift: &map.shift, floor: map.floor[0] });
            From { data: data(&first.value), region: self.region(&first.value, batch), zero: first.zero, map }
        };
        match &step.work {
            NarrowWork::Conv { weights, .. } => {
                let source = source();
                let needed = weights.workspace(&source.region);
                if work.len() < needed {
                    *work = Buffer::zeros(needed);
                }
                weights.convolve(source, target, &finish, work);
            }
            NarrowWork::Pictures { write, cells, zero } => {
                let (channels, [height, width]) = self.image;
                let images = (images, [channels, height, width]);
                write(self.set, images, *cells, &step.finish, *zero, (&mut to, region));
            }
            NarrowWork::Transfer if first.value.at == At::Images => {
                let (channels, size) = self.image;
                let view = View { data: images, region: Region::new(batch, channels, size), map: Map::Planar };
                transfer::<F>(self.set, Origin::Wide(view), target, &finish);
            }
            NarrowWork::Transfer => transfer(self.set, Origin::Narrow(source()), target, &finish),
            NarrowWork::Pool(Operation::MaxPool(pool)) => max(pool, self.set, source(), target, &finish),
            NarrowWork::Pool(Operation::AveragePool(pool)) => {
                average(pool, self.set, source(), target, &finish);
            }
            NarrowWork::Pool(_) => {}
            NarrowWork::Wide { operation, weights, .. } => {
                let set = if F::SAME_EVERYWHERE { InstructionSet::Portable } else { self.set };
                let inputs: Vec<Widened<'_>> =
                    step.inputs.iter().map(|input| self.widened(input, (narrow, wide), batch)).collect();
                let views: Vec<View<'_, f32>> = inputs.iter().map(Widened::view).collect();
                let own = Region { first_block: 0, buffer_blocks: region.blocks(), ..region };
                let mut result = Buffer::zeros(own.len());
                let arguments = Arguments { inputs: &views, weights, remembered: &mut Remembered::default() };
                operation.forward(set, arguments, WideStore::plain(&mut result, own));
                transfer(self.set, Origin::<F>::Wide(View::plain(&result, own)), target, &finish);
            }
        }
        match self.wide[store] {
            true => wide[buffer] = to_wide,
            false => narrow[buffer] = to,
        }
    }

    /// An input as real numbers: where it lies, or in memory of its own.
    fn widened<'w>(
        &self,
        input: &'w Input<F>,
        (narrow, wide): (&[Buffer<F>], &'w [Buffer<f32>]),
        batch: usize,
    ) -> Widened<'w> {
        let region = self.region(&input.value, batch);
        let Some(store) = store_of(&input.value) else { return Widened::Own(Buffer::zeros(region.len()), region) };
        let buffer = self.buffers[store];
        if self.wide[store] {
            let map = match &input.real {
                None => Map::Identity,
                Some(map) => Map::Affine { scale: &map.scale, shift: &map.shift, floor: &map.floor },
            };
            return Widened::Lies(View { data: &wide[buffer], region, map });
        }
        let own = Region { first_block: 0, buffer_blocks: region.blocks(), ..region };
        let mut numbers = Buffer::zeros(own.len());
        let source = From::plain(&narrow[buffer][..], region);
        transfer(self.set, Origin::Narrow(source), Target::Wide(&mut numbers, own), &input.widened.finish(None));
        Widened::Own(numbers, own)
    }

    /// Writes an output of the last run to `to`: `(N, C, H, W)`.
    pub(super) fn read(&self, workspace: &NarrowWorkspace<F>, output: usize, batch: usize, to: &mut [f32]) {
        let (value, widened) = &self.outputs[output];
        let Some(store) = store_of(value) else { return };
        let (region, buffer) = (self.region(value, batch), self.buffers[store]);
        if self.wide[store] {
            return from_blocks(&workspace.wide[buffer], &region, to);
        }
        let own = Region { first_block: 0, buffer_blocks: region.blocks(), ..region };
        let mut numbers = Buffer::zeros(own.len());
        let source = From::plain(&workspace.narrow[buffer][..], region);
        transfer(self.set, Origin::Narrow(source), Target::Wide(&mut numbers, own), &widened.finish(None));
        from_blocks(&numbers, &own, to);
    }
}

/// Real numbers that an operation reads.
enum Widened<'w> {
    Lies(View<'w, f32>),
    Own(Buffer<f32>, Region),
}

impl Widened<'_> {
    fn view(&self) -> View<'_, f32> {
        match self {
            Self::Lies(view) => *view,
            Self::Own(data, region) => View::plain(data, *region),
        }
    }
}

/// Whether a store is kept in `f32`: it is filled by one step, and all that read it compute in `f32`.
fn stays_wide<F: Narrow>(lowered: &Lowered, store: usize) -> bool {
    let is = |value: &Value| store_of(value) == Some(store);
    let read = lowered.steps.iter().filter(|step| step.reads().any(is));
    let by_wide = read.clone().all(|step| {
        why_wide::<F>(step).is_some()
            && step.reads().filter(|value| is(value)).count() == step.inputs.iter().filter(|value| is(value)).count()
    });
    let used = read.count() > 0 || lowered.outputs.iter().any(is);
    used && by_wide && filled_at_once(lowered, store)
}
