//! Batches: shuffled from a seed to train on, in order to evaluate.

use candle_core::{Device, Tensor};
use cnn_core::seed;
use rand::seq::SliceRandom;

use crate::augmentation::Pass;
use crate::{Augmentation, Error, Images, Mixed, Preparation};

/// Images and labels that go through a network together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The prepared images, f32 of (N, channels, height, width).
    pub images: Tensor,
    /// Their labels, u32 of (N).
    pub labels: Tensor,
    /// Which images of the set they are.
    pub indices: Vec<usize>,
    /// What else is in the images, where an augmentation mixes them.
    pub mixed: Option<Mixed>,
}

/// Cuts a set of images into batches and prepares each when it is asked for.
#[derive(Clone, Debug)]
pub struct Loader<'a> {
    images: &'a Images,
    preparation: Preparation,
    augmentation: Augmentation,
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
        let augmentation = Augmentation::default();
        Ok(Self { images, preparation, augmentation, batch_size, whole_only: false, device: Device::Cpu })
    }

    /// Leaves a last batch out where it is not whole.
    #[must_use]
    pub fn whole_batches(self) -> Self {
        Self { whole_only: true, ..self }
    }

    /// Changes the images of [`Loader::epoch`], and of nothing else, by `augmentation`.
    ///
    /// # Errors
    /// As [`Augmentation::check`].
    pub fn augmented(self, augmentation: Augmentation) -> Result<Self, Error> {
        augmentation.check()?;
        Ok(Self { augmentation, ..self })
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

    /// One pass in an order that `seed` and `epoch` alone decide: each image once, augmented.
    pub fn epoch(&self, seed: u64, epoch: usize) -> Batches<'_> {
        let mut order: Vec<usize> = (0..self.images.len()).collect();
        order.shuffle(&mut seed::stream(seed, &format!("shuffle epoch {epoch}")));
        let pass = (!self.augmentation.is_empty()).then_some(Pass { seed, epoch });
        Batches { loader: self, order, pass, next: 0 }
    }

    /// One pass in the order of the images, none of them augmented.
    pub fn in_order(&self) -> Batches<'_> {
        Batches { loader: self, order: (0..self.images.len()).collect(), pass: None, next: 0 }
    }

    /// The batch of the images at `indices`, in that order, none of them augmented.
    ///
    /// # Errors
    /// As [`Preparation::apply`]; [`Error::Tensor`] where candle cannot make the tensors, for example on the device.
    pub fn batch(&self, indices: Vec<usize>) -> Result<Batch, Error> {
        let prepared = self.preparation.apply(self.images, &indices)?;
        self.tensors(indices, prepared, None)
    }

    /// Batch `number` of an augmented pass.
    fn augmented_batch(&self, indices: Vec<usize>, pass: Pass, number: usize) -> Result<Batch, Error> {
        let change = |index, picture| self.augmentation.apply(picture, &mut pass.image(index));
        let mut prepared = self.preparation.apply_after(self.images, &indices, change)?;
        let shape = self.preparation.shape(self.images.shape())?;
        let recipe = self.augmentation.mix.draw([shape[1], shape[2]], &mut pass.batch(number));
        let share = recipe.map(|recipe| recipe.apply(&mut prepared, shape));
        self.tensors(indices, prepared, share)
    }

    /// A batch of `prepared` images; of `share`, what is each image's own if they are mixed.
    fn tensors(&self, indices: Vec<usize>, prepared: Vec<f32>, share: Option<f64>) -> Result<Batch, Error> {
        let shape = self.preparation.shape(self.images.shape())?;
        let labels: Vec<u32> = indices.iter().map(|index| self.images.labels()[*index]).collect();
        let numbers = |labels: &[u32]| Tensor::new(labels, &Device::Cpu)?.to_device(&self.device);
        let tensors = || -> candle_core::Result<(Tensor, Tensor, Option<Mixed>)> {
            let [channels, height, width] = shape;
            let images = Tensor::from_vec(prepared, (labels.len(), channels, height, width), &Device::Cpu)?;
            let mixed = share.map(|share| {
                let mut partners = labels.clone();
                partners.rotate_right(1.min(labels.len()));
                candle_core::Result::Ok(Mixed { labels: numbers(&partners)?, share })
            });
            Ok((images.to_device(&self.device)?, numbers(&labels)?, mixed.transpose()?))
        };
        let (images, labels, mixed) =
            tensors().map_err(|source| Error::Tensor { labels: indices.len(), shape, source })?;
        Ok(Batch { images, labels, indices, mixed })
    }
}

/// The batches of one pass: see [`Loader::epoch`] and [`Loader::in_order`]. Each may fail as [`Loader::batch`] does.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    loader: &'a Loader<'a>,
    order: Vec<usize>,
    pass: Option<Pass>,
    next: usize,
}

impl Batches<'_> {
    /// Goes on with batch `number`, counted from 0, as if those before it had been taken: the same images, draws and
    /// order. Nothing is computed for what is left out; beyond the last batch nothing is left.
    #[must_use]
    pub fn skip_to(self, number: usize) -> Self {
        Self { next: number.min(self.loader.len()), ..self }
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.loader.len() {
            return None;
        }
        let indices = self.order.chunks(self.loader.batch_size).nth(self.next)?.to_vec();
        let number = self.next;
        self.next += 1;
        Some(match self.pass {
            Some(pass) => self.loader.augmented_batch(indices, pass, number),
            None => self.loader.batch(indices),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.loader.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Batches<'_> {}

impl std::iter::FusedIterator for Batches<'_> {}
