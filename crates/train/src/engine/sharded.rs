//! Steps whose batches come in shards: each shard's gradient is that of a small batch, and shards are added in one tree over
//! all ranks. Gradients count as many times as a shard has images, and the sum is divided by all of them.

use super::Lesson;
use super::buckets::{Buckets, Part};
use crate::error::Result;
use cnn_data::Batch;
use cnn_distributed::{Pending, Ranks, Wire, shards_of};
use cnn_plan::Parameters;
use std::ops::Range;

/// How a step is shared out.
#[derive(Debug)]
pub(crate) struct Sharding<'a> {
    /// The ranks that share it; none where this process is alone.
    ranks: Option<&'a Ranks>,
    wire: Wire,
    /// Shards of a batch on all ranks, and those of this one.
    all: usize,
    own: Range<usize>,
    /// Training passes before this step, on all ranks.
    passes: u64,
    /// For each tensor what it adds to what ranks exchange.
    parts: Vec<Part>,
    buckets: Buckets,
    /// Whether all shards have one batch normalisation, which moves the statistics of all alike.
    together: bool,
    /// Every tensor's numbers before the step, of those that are statistics.
    before: Vec<Vec<f32>>,
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
        let parts: Vec<Part> = lesson.network.tensors().zip(lesson.frozen).map(part).collect();
        Ok(Some(Self {
            ranks: lesson.ranks,
            wire: lesson.settings.wire,
            all,
            own: shards_of(rank, world, all)?,
            passes: lesson.passes,
            buckets: Buckets::new(&parts, lesson.ranks.map_or(usize::MAX, Ranks::bucket)),
            parts,
            together: lesson.settings.sync_batch_norm,
            before: Vec::new(),
        }))
    }

    /// The shards of this rank.
    pub(crate) fn own(&self) -> Range<usize> {
        self.own.clone()
    }

    /// How gradients travel.
    pub(crate) fn wire(&self) -> Wire {
        self.wire
    }

    /// Which gradients travel together.
    pub(crate) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Whether all shards have one batch normalisation.
    pub(crate) fn together(&self) -> bool {
        self.together
    }

    /// How many shards of this rank go through the network side by side.
    pub(crate) fn side_by_side(&self) -> usize {
        if self.together { self.own.len() } else { 1 }
    }

    /// Begins a step from the statistics as they are.
    pub(crate) fn begin(&mut self, parameters: &Parameters) {
        let statistics = self.parts.iter().zip(parameters.values());
        self.before = statistics
            .map(|(part, values)| if matches!(part, Part::Statistics(_)) { values.to_vec() } else { Vec::new() })
            .collect();
    }

    /// Sets the statistics as they were before the step.
    pub(crate) fn restore(&self, parameters: &mut Parameters) {
        for (tensor, before) in self.before.iter().enumerate().filter(|(_, before)| !before.is_empty()) {
            parameters.value_mut(tensor).copy_from_slice(before);
        }
    }

    /// The statistics that a shard adds to the sums: none where all have moved alike.
    pub(crate) fn statistics<'p>(&'p self, parameters: &'p Parameters) -> impl Iterator<Item = (usize, &'p [f32])> {
        let parts = self.parts.iter().zip(parameters.values()).enumerate();
        let added = parts.filter(|(_, (part, _))| !self.together && matches!(part, Part::Statistics(_)));
        added.map(|(tensor, (_, values))| (tensor, values))
    }

    /// The number of a shard's pass of batch `number` among those of all ranks.
    pub(crate) fn pass(&self, batches: &[Batch], number: usize, shard: usize) -> u64 {
        let first = batches.first().map_or(0, |first| first.number);
        self.passes + ((number - first) * self.all + shard) as u64
    }

    /// Counts the passes of a step, on all ranks.
    pub(crate) fn count_passes(&mut self, batches: &[Batch]) {
        self.passes += passes_of(batches, self.all);
    }

    /// Begins a sum over all ranks.
    pub(crate) fn begin_sum(&self, numbers: Vec<f32>, wire: Wire) -> Pending {
        match self.ranks {
            Some(ranks) => ranks.begin_sum(numbers, wire),
            None => Ranks::alone().begin_sum(numbers, wire),
        }
    }

    /// Adds up vectors of this rank's shards and all others'.
    pub(crate) fn sum_shards(&self, shards: Vec<Vec<f64>>) -> Result<Vec<f64>> {
        Ok(match self.ranks {
            Some(ranks) => ranks.sum_shards(shards)?,
            None => Ranks::alone().sum_shards(shards)?,
        })
    }
}

/// The passes of a step over batches of so many shards.
pub(crate) fn passes_of(batches: &[Batch], shards: usize) -> u64 {
    let numbers = batches.first().zip(batches.last()).map_or(0, |(first, last)| last.number - first.number + 1);
    (numbers * shards) as u64
}
