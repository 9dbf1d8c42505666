//! Steps on numbers of 16 or 8 bits: the kernels of [`crate::narrow`], task by task.

use super::arena::{Arena, Place};
use super::input::{Affine, Input};
use super::number::Number;
use crate::buffer::Shared;
use crate::conv::narrow as conv;
use crate::narrow::pictures::{self, Cells};
use crate::narrow::pool;
use crate::narrow::transfer;
use crate::narrow::{Finish, Format, Origin, Parts, Pool, ReadMap, Requantisation, Source, Weights};
use crate::prefetch::{LINE, Lines};
use crate::region::Region;
use crate::simd::InstructionSet;
use crate::view::{Map, View};
use std::sync::Arc;

/// A step on narrow numbers of one kind.
#[derive(Clone, Debug)]
pub struct NarrowStep<F: Format> {
    /// What it computes.
    pub work: NarrowWork<F>,
    /// What it reads. The map of narrow numbers leads to narrow numbers and has one floor for all channels; images have
    /// none.
    pub input: Input,
    /// What padding holds once it is read.
    pub zero: F,
    /// Where it writes, numbers of the same kind or `f32`.
    pub output: Place,
    /// Numbers of the output's shape, added.
    pub addend: Option<Place>,
    /// What is done to each result before it is rounded.
    pub finish: Requantisation,
}

/// What a step on narrow numbers computes.
#[derive(Clone, Debug)]
pub enum NarrowWork<F: Format> {
    /// A convolution.
    Convolution(Weights<F>),
    /// Images brought into cells of four pixels.
    Pictures(Cells),
    /// A copy, from `f32` or from narrow numbers, or with the addend a sum.
    Transfer,
    /// The largest number under a window, or the mean.
    Pool(Pool),
}

/// A step on narrow numbers of any kind.
#[derive(Clone, Debug)]
pub struct Narrow(pub(super) Arc<dyn Tasks>);

impl Narrow {
    pub(super) fn new<F: Format>(step: NarrowStep<F>) -> Self {
        Self(Arc::new(step))
    }
}

/// How a step is cut for some images.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut {
    pub(super) tasks: usize,
    conv: Option<conv::Cut>,
    pool: Option<pool::Cut>,
}

impl Cut {
    /// Of a step that is cut in no other way.
    pub(super) fn of_tasks(tasks: usize) -> Self {
        Self { tasks, ..Self::default() }
    }
}

/// A task, and what it computes with.
pub struct Call<'a> {
    pub(super) set: InstructionSet,
    pub(super) cut: &'a Cut,
    pub(super) arena: &'a Arena<'a>,
    /// Which task, and what to ask for on the way.
    pub(super) task: (usize, Lines),
    pub(super) scratch: &'a mut [f32],
}

/// What a program asks of a step, whatever its numbers.
pub(super) trait Tasks: std::fmt::Debug + Send + Sync {
    fn input(&self) -> &Input;
    fn output(&self) -> &Place;
    fn addend(&self) -> Option<Place>;
    /// Whether its shapes and numbers fit each other; the arena is looked at elsewhere.
    fn fits(&self) -> bool;
    /// How it is cut for so many images, on as many threads as are set now.
    fn cut(&self, batch: usize) -> Cut;
    /// Numbers of scratch memory of a task.
    fn scratch(&self) -> usize;
    /// The first weights of a task, cut so.
    fn first_lines(&self, cut: &Cut, task: usize, most: usize) -> Lines;
    /// Runs a task.
    fn run(&self, call: Call<'_>);
}

impl<F: Format> NarrowStep<F> {
    fn region(&self, batch: usize) -> Region {
        match &self.input {
            Input::Images { channels, size, .. } => Region::new(batch, *channels, *size),
            Input::Value { place, .. } => place.region(batch),
        }
    }

    fn fits_windows(&self, windows: [usize; 2]) -> bool {
        windows == self.output.size && self.input.channels() == self.output.channels
    }
}

impl<F: Format> Tasks for NarrowStep<F> {
    fn input(&self) -> &Input {
        &self.input
    }

    fn output(&self) -> &Place {
        &self.output
    }

    fn addend(&self) -> Option<Place> {
        self.addend
    }

    fn fits(&self) -> bool {
        let Self { work, input, output, addend, finish, .. } = self;
        let read = input.place().map(|place| place.number);
        let transfers = matches!(work, NarrowWork::Transfer);
        let numbers = match read {
            Some(Number::F32) => transfers,
            Some(number) => number == F::NUMBER,
            None => input.map().is_none() && matches!(work, NarrowWork::Transfer | NarrowWork::Pictures(_)),
        };
        let writes = [F::NUMBER, Number::F32].contains(&output.number);
        let added = addend.is_none_or(|addend| {
            addend.number == F::NUMBER && addend.channels == output.channels && addend.size == output.size
        });
        let pictures = matches!(work, NarrowWork::Pictures(_));
        let finished = [finish.scale.len(), finish.bias.len()]
            .iter()
            .all(|entries| *entries == if pictures { input.channels() } else { output.channels });
        let shapes = match work {
            NarrowWork::Convolution(weights) => {
                let conv = weights.conv();
                conv.output(input.size()) == Some(output.size)
                    && [input.channels(), output.channels] == [conv.in_channels, conv.out_channels]
            }
            NarrowWork::Pictures(cells) => {
                let [height, width] = input.size();
                let of = [input.channels(), height, width];
                read.is_none()
                    && addend.is_none()
                    && output.number == F::NUMBER
                    && pictures::fits(of, *cells, &output.region(1))
            }
            NarrowWork::Transfer => self.fits_windows(input.size()),
            NarrowWork::Pool(pool) => pool.input() == input.size() && self.fits_windows(pool.output()),
        };
        // One floor for all channels, by its bits: a NaN is none.
        let floors = |map: &Affine| {
            let floors = map.floor.get(..input.channels()).unwrap_or_default();
            floors.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits())
        };
        let one_floor = read == Some(Number::F32) || input.map().is_none_or(floors);
        numbers && writes && added && finished && shapes && one_floor
    }

    fn cut(&self, batch: usize) -> Cut {
        let (from, to) = (self.region(batch), self.output.region(batch));
        match &self.work {
            NarrowWork::Convolution(weights) => match weights.cut(&from) {
                Some(cut) => Cut { tasks: cut.tasks(), conv: Some(cut), pool: None },
                None => Cut::default(),
            },
            NarrowWork::Pictures(_) => Cut::of_tasks(pictures::tasks(&to)),
            NarrowWork::Transfer => Cut::of_tasks(transfer::tasks(&to)),
            NarrowWork::Pool(pool) => {
                let cut = pool::Cut::new::<F>(pool, self.input.map().is_some());
                Cut { tasks: cut.tasks(&to), conv: None, pool: Some(cut) }
            }
        }
    }

    fn scratch(&self) -> usize {
        match &self.work {
            NarrowWork::Convolution(weights) => weights.cut(&self.region(1)).map_or(0, |cut| cut.most_workspace()),
            _ => 0,
        }
    }

    fn first_lines(&self, cut: &Cut, task: usize, most: usize) -> Lines {
        match (&self.work, &cut.conv) {
            (NarrowWork::Convolution(weights), Some(cut)) => {
                let words = weights.of_task_on(cut, task);
                Lines::new(words.as_ptr(), (size_of_val(words) / LINE).min(most))
            }
            _ => Lines::NONE,
        }
    }

    fn run(&self, call: Call<'_>) {
        F::step_task(self, call);
    }
}

/// Runs a task of a step: the shapes fit each other and the arena, the task is taken once and writes what no other of its
/// turn does, and nothing it reads is written meanwhile.
pub(crate) fn run<F: Format>(step: &NarrowStep<F>, call: Call<'_>) {
    let Call { set, cut, arena, task, scratch } = call;
    let batch = arena.batch;
    let narrow = |place: &Place| {
        // SAFETY: `Builder` checked that the store is within the arena and apart from what is written; any bits are a
        // number, and words are aligned for narrower ones.
        unsafe { std::slice::from_raw_parts(arena.first::<F>(place).cast_const(), place.region(batch).len()) }
    };
    let length = step.output.region(batch).len();
    let region = step.output.region(batch);
    let to = arena.first::<F>(&step.output);
    // SAFETY: the store is within the arena, and tasks write parts of their own. Numbers of either kind are aligned there.
    let (narrow_parts, wide_parts) =
        unsafe { (Shared::of_pointer(to, length), Shared::of_pointer(to.cast::<f32>(), length)) };
    let target = match step.output.number {
        Number::F32 => Parts::Wide(wide_parts, region),
        _ => Parts::Narrow(narrow_parts, region),
    };
    let finish = step.finish.finish(step.addend.as_ref().map(|addend| (narrow(addend), addend.region(batch))));
    let Input::Value { place, map } = &step.input else {
        return images(step, (set, arena), target, &finish, task.0);
    };
    let region = place.region(batch);
    if place.number == Number::F32 {
        // SAFETY: as for narrow numbers.
        let data = unsafe { std::slice::from_raw_parts(arena.first::<F>(place).cast::<f32>(), region.len()) };
        let map = match map {
            None => Map::Identity,
            Some(map) => Map::Affine { scale: &map.scale, shift: &map.shift, floor: &map.floor },
        };
        return transfer::task(set, Origin::<F>::Wide(View { data, region, map }), target, &finish, task.0);
    }
    let map = map.as_ref().map(|map| ReadMap { scale: &map.scale, shift: &map.shift, floor: map.floor[0] });
    let source = Source { data: narrow(place), region, zero: step.zero, map };
    match (&step.work, &cut.conv, cut.pool) {
        (NarrowWork::Convolution(weights), Some(cut), _) => {
            conv::task((weights, cut), source, target, &finish, task, scratch);
        }
        (NarrowWork::Pool(pool), _, Some(cut)) => pool::task(set, source, target, (&finish, pool, cut), task.0),
        _ => transfer::task(set, Origin::Narrow(source), target, &finish, task.0),
    }
}

/// A task of a step that reads the images as they came.
fn images<F: Format>(
    step: &NarrowStep<F>,
    (set, arena): (InstructionSet, &Arena<'_>),
    target: Parts<'_, F>,
    finish: &Finish<'_, F>,
    task: usize,
) {
    let (channels, [height, width]) = (step.input.channels(), step.input.size());
    let data = arena.pictures(channels * height * width);
    match step.work {
        NarrowWork::Pictures(cells) => {
            let line = (&step.finish.scale[..], &step.finish.bias[..], step.finish.floor);
            pictures::task(set, (data, [channels, height, width]), (cells, line, step.zero), target, task);
        }
        _ => {
            let view = View { data, region: step.region(arena.batch), map: Map::Planar };
            transfer::task(set, Origin::Wide(view), target, finish, task);
        }
    }
}
