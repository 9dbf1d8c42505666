//! Batches: shuffled from a seed to train on, in order to evaluate.

use candle_core::{Device, Tensor};
use cnn_core::seed;
use rand::seq::SliceRandom;

use crate::{Error, Images, Preparation};

/// Images and labels that go through a network together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The prepared images, f32 of (N, channels, height, width).
    pub images: Tensor,
    /// Their labels, u32 of (N).
    pub labels: Tensor,
    /// Which images of the set they are.
    pub indices: Vec<usize>,
}

/// Cuts a set of images into batches and prepares each when it is asked for.
#[derive(Clone, Debug)]
pub struct Loader<'a> {
    images: &'a Images,
    preparation: Preparation,
    batch_size: usize,
    whole_only: bool,
    device: Device,
}

impl<'a> Loader<'a> {
    /// Batches of `batch_size` of `images`, prepared by `preparation`, on the CPU. The last batch of a pass holds what is
    /// left.
    ///
    /// # Errors
    /// [`Error::BatchSize`] where the batch size is 0; as [`Preparation::shape`] where the preparation does not suit the
    /// images.
    pub fn new(images: &'a Images, preparation: Preparation, batch_size: usize) -> Result<Self, Error> {
        if batch_size == 0 {
            return Err(Error::BatchSize);
        }
        preparation.shape(images.shape())?;
        Ok(Self { images, preparation, batch_size, whole_only: false, device: Device::Cpu })
    }

    /// Leaves a last batch out where it is not whole.
    #[must_use]
    pub fn whole_batches(self) -> Self {
        Self { whole_only: true, ..self }
    }

    /// Moves each batch to `device`.
    #[must_use]
    pub fn on(self, device: &Device) -> Self {
        Self { device: device.clone(), ..self }
    }

    /// Number of batches in a pass.
    pub fn len(&self) -> usize {
        match self.whole_only {
            true => self.images.len() / self.batch_size,
            false => self.images.len().div_ceil(self.batch_size),
        }
    }

    /// Whether a pass has no batch.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One pass in an order that `seed` and `epoch` alone decide: each image once.
    pub fn epoch(&self, seed: u64, epoch: usize) -> Batches<'_> {
        let mut order: Vec<usize> = (0..self.images.len()).collect();
        order.shuffle(&mut seed::stream(seed, &format!("shuffle epoch {epoch}")));
        Batches { loader: self, order, next: 0 }
    }

    /// One pass in the order of the images.
    pub fn in_order(&self) -> Batches<'_> {
        Batches { loader: self, order: (0..self.images.len()).collect(), next: 0 }
    }

    /// The batch of the images at `indices`, in that order.
    ///
    /// # Errors
    /// As [`Preparation::apply`]; [`Error::Tensor`] where candle cannot make the tensors, for example on the device.
    pub fn batch(&self, indices: Vec<usize>) -> Result<Batch, Error> {
        let shape = self.preparation.shape(self.images.shape())?;
        let prepared = self.preparation.apply(self.images, &indices)?;
        let labels: Vec<u32> = indices.iter().map(|index| self.images.labels()[*index]).collect();
        let tensors = || -> candle_core::Result<(Tensor, Tensor)> {
            let [channels, height, width] = shape;
            let images = Tensor::from_vec(prepared, (labels.len(), channels, height, width), &Device::Cpu)?;
            let labels = Tensor::new(labels.as_slice(), &Device::Cpu)?;
            Ok((images.to_device(&self.device)?, labels.to_device(&self.device)?))
        };
        let (images, labels) = tensors().map_err(|source| Error::Tensor { labels: indices.len(), shape, source })?;
        Ok(Batch { images, labels, indices })
    }
}

/// The batches of one pass: see [`Loader::epoch`] and [`Loader::in_order`]. Each may fail as [`Loader::batch`] does.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    loader: &'a Loader<'a>,
    order: Vec<usize>,
    next: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.loader.len() {
            return None;
        }
        let chunk = self.order.chunks(self.loader.batch_size).nth(self.next)?;
        self.next += 1;
        Some(self.loader.batch(chunk.to_vec()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.loader.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Batches<'_> {}

impl std::iter::FusedIterator for Batches<'_> {}
