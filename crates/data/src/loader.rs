//! Batches: shuffled from a seed to train on, in order to evaluate.

use crate::augmentation::Pass;
use crate::balance;
use crate::batch::Pipeline;
use crate::prefetch::Prefetcher;
use crate::{Augmentation, Batch, Error, Images, Preparation, Transform};
use cnn_network::seed;
use rand::seq::SliceRandom;
use std::ops::Range;
use std::sync::Arc;

/// Cuts a set of images into batches and prepares each when it is asked for, or ahead of that.
#[derive(Clone, Debug)]
pub struct Loader<'a> {
    images: &'a Images,
    pipeline: Pipeline,
    batch_size: usize,
    whole_only: bool,
    balanced: bool,
    ahead: usize,
    shards: Shards,
}

/// Into how many shards each batch is cut, and which of them are made.
#[derive(Clone, Debug)]
struct Shards {
    all: usize,
    own: Range<usize>,
}

impl<'a> Loader<'a> {
    /// Batches of `batch_size` of `images`, prepared by `preparation`. The last batch of a pass holds what is
    /// left.
    ///
    /// # Errors
    /// [`Error::BatchSize`] where the batch size is 0; as [`Preparation::output`] where the preparation does not suit the
    /// images.
    pub fn new(images: &'a Images, preparation: Preparation, batch_size: usize) -> Result<Self, Error> {
        if batch_size == 0 {
            return Err(Error::BatchSize);
        }
        preparation.output(images)?;
        let pipeline = Pipeline { preparation, augmentation: Augmentation::default(), transforms: Vec::new() };
        Ok(Self {
            images,
            pipeline,
            batch_size,
            whole_only: false,
            balanced: false,
            ahead: 0,
            shards: Shards { all: 1, own: 0..1 },
        })
    }

    /// Leaves a last batch out where it is not whole.
    #[must_use]
    pub fn whole_batches(self) -> Self {
        Self { whole_only: true, ..self }
    }

    /// Has [`Loader::epoch`], and nothing else, show every class as often as any other: images of rare classes come more than
    /// once, augmented otherwise each time, and some of frequent ones not at all. A pass is as long as it was.
    #[must_use]
    pub fn balanced(self, balanced: bool) -> Self {
        Self { balanced, ..self }
    }

    /// Changes the images of [`Loader::epoch`], and of nothing else, by `augmentation`.
    ///
    /// # Errors
    /// As [`Augmentation::check`].
    pub fn augmented(self, augmentation: Augmentation) -> Result<Self, Error> {
        augmentation.check()?;
        Ok(Self { pipeline: Pipeline { augmentation, ..self.pipeline }, ..self })
    }

    /// Changes the images of [`Loader::epoch`], and of nothing else, by `transform` too, after the augmentation's steps and
    /// after the transforms before it.
    #[must_use]
    pub fn transformed(mut self, transform: impl Transform + 'static) -> Self {
        self.pipeline.transforms.push(Arc::new(transform));
        self
    }

    /// Has another thread make batches while the last one is used, at most `batches` ahead; none for 0. Numbers, order and
    /// errors are the same.
    #[must_use]
    pub fn ahead(self, batches: usize) -> Self {
        Self { ahead: batches, ..self }
    }

    /// Cuts each batch into `all` shards, as equal as can be, and makes only those of `own`, each as a batch that is mixed by
    /// itself. A shard comes even if nothing is in it. What a shard is does not depend on `own`.
    ///
    /// # Errors
    /// [`Error::BatchSize`] where there would be no shard.
    pub fn sharded(self, all: usize, own: Range<usize>) -> Result<Self, Error> {
        if own.is_empty() || own.end > all {
            return Err(Error::BatchSize);
        }
        Ok(Self { shards: Shards { all, own }, ..self })
    }

    /// Number of batches in a pass.
    pub fn len(&self) -> usize {
        match self.whole_only {
            true => self.images.len() / self.batch_size,
            false => self.images.len().div_ceil(self.batch_size),
        }
    }

    /// Number of images of the set.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    /// Whether a pass has no batch.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One pass in an order that `seed` and `epoch` alone decide: each image once, unless it is [`Loader::balanced`],
    /// augmented.
    pub fn epoch(&self, seed: u64, epoch: usize) -> Batches {
        if self.balanced {
            let (order, repeats) = balance::order(self.images.labels(), seed, epoch);
            return self.batches(order, repeats, Some(Pass { seed, epoch }));
        }
        let mut order: Vec<usize> = (0..self.images.len()).collect();
        order.shuffle(&mut seed::stream(seed, &format!("shuffle epoch {epoch}")));
        self.batches(order, Vec::new(), Some(Pass { seed, epoch }))
    }

    /// One pass in the order of the images, none of them augmented.
    pub fn in_order(&self) -> Batches {
        self.batches((0..self.images.len()).collect(), Vec::new(), None)
    }

    fn batches(&self, order: Vec<usize>, repeats: Vec<u32>, pass: Option<Pass>) -> Batches {
        let pass = pass.filter(|_| !self.pipeline.augmentation.is_empty() || !self.pipeline.transforms.is_empty());
        let (images, pipeline) = (self.images.clone(), self.pipeline.clone());
        let (shards, batch_size) = (self.shards.clone(), self.batch_size);
        let end = self.len() * shards.own.len();
        let producer = Producer { images, pipeline, order, repeats, batch_size, pass, next: 0, end, shards };
        Batches { left: producer.end, depth: self.ahead, state: State::Here(Box::new(producer)) }
    }

    /// The batch of the images at `indices`, in that order, none of them augmented.
    ///
    /// # Errors
    /// As [`Preparation::apply`]; [`Error::NothingLeft`] where all are files that are left out.
    pub fn batch(&self, indices: &[usize]) -> Result<Batch, Error> {
        self.pipeline.batch(self.images, indices, &[], None)
    }

    /// The batch of the images at `indices` as epoch `epoch` of `seed` augments them, mixed as its first batch.
    ///
    /// # Errors
    /// As [`Loader::batch`].
    pub fn augmented_batch(&self, indices: &[usize], seed: u64, epoch: usize) -> Result<Batch, Error> {
        self.pipeline.batch(self.images, indices, &[], Some((Pass { seed, epoch }, 0)))
    }
}

/// The batches of one pass: see [`Loader::epoch`] and [`Loader::in_order`]. Each may fail as [`Loader::batch`] does; a
/// batch of which every image was left out is passed over.
#[derive(Debug)]
pub struct Batches {
    state: State,
    depth: usize,
    left: usize,
}

#[derive(Debug)]
enum State {
    /// Not begun, or without another thread.
    Here(Box<Producer>),
    Ahead(Prefetcher),
}

impl Batches {
    /// Goes on with batch `number` of the pass, counted from 0, as if those before it had been taken: the same images,
    /// draws and order. Nothing is computed for what is left out; beyond the last batch nothing is left. To be called
    /// before the first batch is taken.
    #[must_use]
    pub fn skip_to(mut self, number: usize) -> Self {
        if let State::Here(producer) = &mut self.state {
            producer.next = number.saturating_mul(producer.shards.own.len()).min(producer.end);
            self.left = producer.end - producer.next;
        }
        self
    }

    /// Batches, or shards of them, that are left, where none is passed over.
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether no batch is left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let (State::Here(producer), 1..) = (&mut self.state, self.depth) {
            match Prefetcher::start(self.depth) {
                Ok(prefetcher) => self.state = State::Ahead(prefetcher.take_from(producer.rest())),
                Err(error) => {
                    // The batches are the same; they only come when they are asked for.
                    self.depth = 0;
                    tracing::warn!("no thread can be made that makes batches ahead: {error}; training waits for each");
                }
            }
        }
        let batch = match &mut self.state {
            State::Here(producer) => producer.next(),
            State::Ahead(ahead) => ahead.next(),
        };
        self.left = if batch.is_some() { self.left.saturating_sub(1) } else { 0 };
        batch
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

impl std::iter::FusedIterator for Batches {}

/// A pass with all it needs, so that any thread can make its batches.
#[derive(Debug)]
struct Producer {
    images: Images,
    pipeline: Pipeline,
    order: Vec<usize>,
    /// Of each of them, how often it came before; empty where none comes twice.
    repeats: Vec<u32>,
    batch_size: usize,
    pass: Option<Pass>,
    /// The next shard of those that are made.
    next: usize,
    end: usize,
    shards: Shards,
}

impl Iterator for Producer {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Result<Batch, Error>> {
        while self.next < self.end {
            let Shards { all, own } = &self.shards;
            let (number, shard) = (self.next / own.len(), own.start + self.next % own.len());
            self.next += 1;
            let whole = self.order.chunks(self.batch_size).nth(number)?;
            let part = shard * whole.len() / all..(shard + 1) * whole.len() / all;
            let repeats = self.repeats.chunks(self.batch_size).nth(number).and_then(|all| all.get(part.clone()));
            // Each shard is mixed by draws of its own.
            let pass = self.pass.map(|pass| (pass, number * all + shard));
            match self.pipeline.batch(&self.images, &whole[part], repeats.unwrap_or_default(), pass) {
                Err(Error::NothingLeft { .. }) if *all == 1 => continue,
                Err(Error::NothingLeft { .. }) => {
                    let empty = self.pipeline.batch(&self.images, &[], &[], None);
                    return Some(empty.map(|batch| Batch { number, shard, ..batch }));
                }
                made => return Some(made.map(|batch| Batch { number, shard, ..batch })),
            }
        }
        None
    }
}

impl Producer {
    /// What is left of it, nothing staying behind.
    fn rest(&mut self) -> Self {
        let (images, pipeline, order) = (self.images.clone(), self.pipeline.clone(), std::mem::take(&mut self.order));
        let (next, repeats) = (std::mem::replace(&mut self.next, self.end), std::mem::take(&mut self.repeats));
        let shards = self.shards.clone();
        Self { images, pipeline, order, repeats, next, shards, ..*self }
    }
}
