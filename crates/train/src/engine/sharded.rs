//! Steps whose batches come in shards: each shard's gradient is that of a small batch, and shards are added in one tree over
//! all ranks. Gradients count as many times as a shard has images, and the sum is divided by all of them.

use super::gathered::Gathered;
use super::{Lesson, Stepped};
use crate::error::Result;
use cnn_data::Batch;
use cnn_distributed::{Ranks, Tree, Wire, shards_of};
use cnn_plan::Parameters;
use std::ops::Range;

/// How a step is shared out.
#[derive(Debug)]
pub(crate) struct Sharding<'a> {
    ranks: Option<&'a Ranks>,
    /// Shards of a batch on all ranks, and those of this one.
    all: usize,
    own: Range<usize>,
    /// Training passes before this step, on all ranks.
    passes: u64,
    /// For each tensor what it adds to what ranks exchange.
    parts: Vec<Part>,
    /// Every tensor's numbers before the step, of those that are statistics.
    before: Vec<Vec<f32>>,
}

/// What a tensor adds to what ranks exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// So many numbers of a gradient.
    Gradient(usize),
    /// So many numbers that each pass moves.
    Statistics(usize),
    Nothing,
}

/// What shards counted so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    loss: f32,
    correct: usize,
    images: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, one: Stepped) {
        self.loss += one.loss * one.images as f32;
        self.correct += one.correct;
        self.images += one.images;
    }
}

/// The sums over the shards of this rank.
#[derive(Debug)]
pub(crate) struct Sums {
    numbers: Tree,
    counts: Tree,
}

impl<'a> Sharding<'a> {
    /// Of a lesson, if its batches come in shards.
    pub(crate) fn of(lesson: &Lesson<'a>) -> Result<Option<Self>> {
        let all = lesson.settings.shards;
        if all == 1 {
            return Ok(None);
        }
        let (rank, world) = lesson.ranks.map_or((0, 1), |ranks| (ranks.rank(), ranks.world()));
        let part = |(spec, frozen): (&cnn_core::tensors::TensorSpec, &bool)| match (*frozen, spec.trained()) {
            (true, _) => Part::Nothing,
            (false, true) => Part::Gradient(spec.elements()),
            (false, false) => Part::Statistics(spec.elements()),
        };
        let parts = lesson.network.tensors().zip(lesson.frozen).map(part).collect();
        let own = shards_of(rank, world, all)?;
        Ok(Some(Self { ranks: lesson.ranks, all, own, passes: lesson.passes, parts, before: Vec::new() }))
    }

    /// The shards of this rank.
    pub(crate) fn own(&self) -> Range<usize> {
        self.own.clone()
    }

    /// Begins a step from the statistics as they are.
    pub(crate) fn begin(&mut self, parameters: &Parameters) -> Sums {
        let statistics = self.parts.iter().zip(parameters.values());
        self.before = statistics
            .map(|(part, values)| if matches!(part, Part::Statistics(_)) { values.to_vec() } else { Vec::new() })
            .collect();
        Sums { numbers: Tree::new(Wire::F32), counts: Tree::new(Wire::F32) }
    }

    /// Sets the statistics as they were before the step.
    pub(crate) fn restore(&self, parameters: &mut Parameters) {
        for (tensor, before) in self.before.iter().enumerate().filter(|(_, before)| !before.is_empty()) {
            parameters.value_mut(tensor).copy_from_slice(before);
        }
    }

    /// The number of a batch's pass among those of all ranks.
    pub(crate) fn pass(&self, batches: &[Batch], batch: &Batch) -> u64 {
        let first = batches.first().map_or(0, |first| first.number);
        self.passes + ((batch.number - first) * self.all + batch.shard) as u64
    }

    /// Counts the passes of a step, on all ranks.
    pub(crate) fn count_passes(&mut self, batches: &[Batch]) {
        self.passes += passes_of(batches, self.all);
    }

    /// Takes over a sum of gradients and statistics.
    pub(crate) fn give(&self, numbers: &[f32], gathered: &mut Gathered, parameters: &mut Parameters) {
        let mut rest = numbers;
        for (tensor, part) in self.parts.iter().enumerate() {
            match *part {
                Part::Gradient(length) => gathered.set(tensor, take(&mut rest, length)),
                Part::Statistics(length) => {
                    parameters.value_mut(tensor).copy_from_slice(take(&mut rest, length));
                }
                Part::Nothing => {}
            }
        }
    }
}

/// The passes of a step over batches of so many shards.
pub(crate) fn passes_of(batches: &[Batch], shards: usize) -> u64 {
    let numbers = batches.first().zip(batches.last()).map_or(0, |(first, last)| last.number - first.number + 1);
    (numbers * shards) as u64
}

fn take<'a>(rest: &mut &'a [f32], length: usize) -> &'a [f32] {
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}

impl Sums {
    /// Adds a shard.
    pub(crate) fn add(&mut self, how: &Sharding<'_>, gathered: &Gathered, parameters: &Parameters, counts: Counts) {
        let images = counts.images as f32;
        let mut numbers = Vec::new();
        for (tensor, (part, values)) in how.parts.iter().zip(parameters.values()).enumerate() {
            match *part {
                Part::Gradient(length) => match gathered.of(tensor) {
                    Some(gradient) => numbers.extend_from_slice(gradient),
                    None => numbers.resize(numbers.len() + length, 0.0),
                },
                Part::Statistics(_) => numbers.extend(values.iter().map(|x| images * x)),
                Part::Nothing => {}
            }
        }
        self.numbers.add(numbers);
        self.counts.add(vec![counts.loss, counts.correct as f32, images]);
    }

    /// What the step gave, and the mean over all images of all ranks; none where there is nothing to learn.
    pub(crate) fn finish(self, how: &Sharding<'_>) -> Result<(Stepped, Option<Vec<f32>>)> {
        let (mut numbers, mut counts) = (self.numbers.finish(), self.counts.finish());
        if let Some(ranks) = how.ranks {
            ranks.sum(&mut counts, Wire::F32)?;
            ranks.sum(&mut numbers, Wire::F32)?;
        }
        let [loss, correct, images] = counts[..] else { return Ok((Stepped::default(), None)) };
        let stepped = Stepped { loss: loss / images.max(1.0), correct: correct as usize, images: images as usize };
        if images == 0.0 || !stepped.loss.is_finite() {
            return Ok((stepped, None));
        }
        numbers.iter_mut().for_each(|x| *x /= images);
        Ok((stepped, Some(numbers)))
    }
}
