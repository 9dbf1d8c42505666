//! The sums of a step over the shards of all ranks.

use super::Stepped;
use super::gathered::Gathered;
use super::sharded::Sharding;
use crate::error::Result;
use cnn_distributed::{Pending, Tree, Wire};
use cnn_kernels::elementwise::{add_scaled, divide};
use cnn_plan::{Parameters, Receive};

/// What a shard counts.
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

/// The sums of a step. What all of this rank's shards have given goes to the other ranks at once, while the backward pass
/// goes on.
#[derive(Debug)]
pub(crate) struct Sums<'s> {
    how: &'s Sharding<'s>,
    /// Counts and statistics of the shards so far.
    counts: Tree,
    /// How many shards have told them.
    told: usize,
    total: Option<Pending>,
    buckets: Vec<Bucket>,
    under_way: Vec<Pending>,
}

/// A bucket of this rank's shards.
#[derive(Debug)]
struct Bucket {
    tree: Tree,
    /// How many shards are in the tree.
    added: usize,
    shards: Vec<Filling>,
}

/// The gradients of a shard in a bucket; empty where none has come.
#[derive(Debug)]
struct Filling {
    numbers: Vec<f32>,
    /// Tensors that are to come; none where it is whole.
    missing: usize,
}

impl Filling {
    /// Makes the gradients zeros where none has come.
    fn begin(&mut self, numbers: usize) {
        if self.numbers.is_empty() {
            self.numbers = vec![0.0; numbers];
        }
    }
}

/// What a step comes to on all ranks.
pub(crate) struct Total {
    images: f32,
    statistics: Vec<f32>,
    buckets: Vec<Pending>,
}

impl<'s> Sums<'s> {
    pub(crate) fn new(how: &'s Sharding<'s>) -> Self {
        let bucket = |bucket: usize| {
            let missing = how.buckets().tensors(bucket);
            let shards = how.own().map(|_| Filling { numbers: Vec::new(), missing }).collect();
            Bucket { tree: Tree::new(how.wire()), added: 0, shards }
        };
        let buckets = (0..how.buckets().len()).map(bucket).collect();
        Self { how, counts: Tree::new(Wire::F32), told: 0, total: None, buckets, under_way: Vec::new() }
    }

    /// Takes what the next of this rank's shards counts, and the statistics it has moved.
    pub(crate) fn tell(&mut self, counts: Counts, parameters: &Parameters) {
        let images = counts.images as f32;
        let mut numbers = vec![counts.loss, counts.correct as f32, images];
        for (_, values) in self.how.statistics(parameters) {
            numbers.extend(values.iter().map(|x| images * x));
        }
        self.counts.add(numbers);
        self.told += 1;
        if self.told == self.how.own().len() {
            // Before all gradients: it is known first.
            self.total = Some(self.how.begin_sum(std::mem::take(&mut self.counts).finish(), Wire::F32));
        }
    }

    /// Takes the gradients of a batch of this rank's shard number `shard`, each times `share`; `last` says that no other batch
    /// of the shard comes.
    pub(crate) fn of_shard(&mut self, shard: usize, share: f32, last: bool) -> OfShard<'_, 's> {
        OfShard { sums: self, shard, share, last }
    }

    /// Says that no more comes of a shard, of which what has not come is zero.
    pub(crate) fn close(&mut self, shard: usize) {
        for bucket in 0..self.buckets.len() {
            if self.buckets[bucket].shards[shard].missing > 0 {
                self.whole(bucket, shard);
            }
        }
    }

    /// Says that a shard's bucket is whole. Shards are added in their order, and buckets leave in theirs.
    fn whole(&mut self, number: usize, shard: usize) {
        let bucket = &mut self.buckets[number];
        bucket.shards[shard].missing = 0;
        while let Some(filling) = bucket.shards.get_mut(bucket.added).filter(|filling| filling.missing == 0) {
            filling.begin(self.how.buckets().numbers(number));
            bucket.tree.add(std::mem::take(&mut filling.numbers));
            bucket.added += 1;
        }
        while let Some(bucket) = self.buckets.get_mut(self.under_way.len())
            && bucket.added == bucket.shards.len()
        {
            let sum = std::mem::take(&mut bucket.tree).finish();
            self.under_way.push(self.how.begin_sum(sum, self.how.wire()));
        }
    }

    /// What the step gave, and what all ranks come to; none where there is nothing to learn.
    pub(crate) fn finish(self) -> Result<(Stepped, Option<Total>)> {
        let numbers = self.total.map_or_else(|| Ok(Vec::new()), Pending::wait)?;
        let [loss, correct, images, ref statistics @ ..] = numbers[..] else { return Ok((Stepped::default(), None)) };
        let stepped = Stepped { loss: loss / images.max(1.0), correct: correct as usize, images: images as usize };
        if images == 0.0 || !stepped.loss.is_finite() {
            return Ok((stepped, None));
        }
        Ok((stepped, Some(Total { images, statistics: statistics.to_vec(), buckets: self.under_way })))
    }
}

impl Total {
    /// Waits for the means over all images of all ranks, and takes them over.
    pub(crate) fn give(self, how: &Sharding<'_>, gathered: &mut Gathered, parameters: &mut Parameters) -> Result<()> {
        let mean = |mut numbers: Vec<f32>| {
            divide(&mut numbers, self.images);
            numbers
        };
        let statistics = mean(self.statistics);
        let mut rest = &statistics[..];
        let lengths: Vec<(usize, usize)> =
            how.statistics(parameters).map(|(tensor, values)| (tensor, values.len())).collect();
        for (tensor, length) in lengths {
            let (taken, left) = rest.split_at(length);
            parameters.value_mut(tensor).copy_from_slice(taken);
            rest = left;
        }
        for (bucket, pending) in self.buckets.into_iter().enumerate() {
            let numbers = mean(pending.wait()?);
            for (tensor, gradient) in how.buckets().within(bucket, &numbers) {
                gathered.set(tensor, gradient);
            }
        }
        Ok(())
    }
}

/// Takes the gradients of one of this rank's shards.
pub(crate) struct OfShard<'a, 's> {
    sums: &'a mut Sums<'s>,
    shard: usize,
    share: f32,
    last: bool,
}

impl Receive<f32> for OfShard<'_, '_> {
    fn receive(&mut self, tensor: usize, _weights: &mut [f32], gradient: &[f32]) {
        let Some((number, start)) = self.sums.how.buckets().place(tensor) else { return };
        let filling = &mut self.sums.buckets[number].shards[self.shard];
        filling.begin(self.sums.how.buckets().numbers(number));
        add_scaled(&mut filling.numbers[start..start + gradient.len()], self.share, gradient);
        if self.last {
            filling.missing -= 1;
            if filling.missing == 0 {
                self.sums.whole(number, self.shard);
            }
        }
    }
}
