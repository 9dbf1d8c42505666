//! Steps whose shards have one batch normalisation.

use super::planned::{PlannedLearner, lost};
use super::sums::{Counts, Sums};
use super::{Stepped, targets};
use crate::error::{Error, Result};
use cnn_data::Batch;
use cnn_plan::{Receive, TrainingRun};

impl PlannedLearner<'_> {
    /// A step whose shards go through the network side by side, a batch after the other.
    pub(super) fn step_together(&mut self, batches: &[Batch], learning_rate: f64) -> Result<Stepped> {
        let Self { sharding, gathered, runs, parameters, .. } = self;
        let (Some(sharding), Some(gathered)) = (sharding, gathered) else { return Err(Error::own("no shards")) };
        self.updates.next(learning_rate);
        sharding.begin(parameters);
        let own = sharding.own();
        let mut sums = Sums::new(sharding);
        let mut counts = vec![Counts::default(); own.len()];
        let numbers = batches.first().zip(batches.last()).map_or(0..0, |(first, last)| first.number..last.number + 1);
        let last = numbers.end;
        for number in numbers {
            let of_shard = |shard: usize| {
                let found = batches.iter().find(|batch| batch.number == number && batch.shard == shard);
                found.filter(|batch| !batch.indices.is_empty())
            };
            let shards: Vec<Option<&Batch>> = own.clone().map(of_shard).collect();
            for (run, shard) in runs.iter_mut().zip(own.clone()) {
                run.go_on_from(sharding.pass(batches, number, shard));
            }
            let images: Vec<&[f32]> = shards.iter().map(|batch| batch.map_or(&[][..], |batch| &batch.images)).collect();
            let mut share = |sums| sharding.sum_shards(sums);
            let forward = TrainingRun::forward_together(runs, parameters, &images, &mut share)?;
            let mut gradients = Vec::new();
            for (shard, batch) in shards.iter().enumerate() {
                let Some(batch) = batch else {
                    gradients.push(None);
                    continue;
                };
                let values = (0..self.network.outputs().len()).map(|output| forward.output(shard, output)).collect();
                let (one, mut rows) = lost(&self.network, self.loss, values, &targets(batch, self.smoothing))?;
                counts[shard].add(one);
                // One loss of all shards: each counts as many times as it has images.
                rows.iter_mut().flatten().flatten().for_each(|x| *x *= one.images as f32);
                let rows: Vec<Option<&[f32]>> = rows.iter().map(Option::as_deref).collect();
                gradients.push(Some(forward.gradients(shard, &rows)?));
            }
            let last = number + 1 == last;
            if last {
                counts.iter().for_each(|counts| sums.tell(*counts, forward.parameters()));
            }
            let mut receive = |shard: usize, tensor: usize, gradient: &[f32]| {
                sums.of_shard(shard, 1.0, last).receive(tensor, &mut [], gradient);
            };
            forward.backward(&gradients, &mut receive, &mut share)?;
        }
        (0..own.len()).for_each(|shard| sums.close(shard));
        let (stepped, total) = sums.finish()?;
        match total {
            Some(total) => total.give(sharding, gathered, parameters)?,
            None => sharding.restore(parameters),
        }
        self.end_sharded(batches, stepped)
    }
}
