//! A batch, and how it is made.

use crate::augmentation::Pass;
use crate::{Augmentation, Error, Images, Mixed, Preparation, Transform};
use candle_core::{Device, Tensor};
use std::sync::Arc;

/// Images and labels that go through a network together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The prepared images, f32 of (N, channels, height, width).
    pub images: Tensor,
    /// Their labels, u32 of (N).
    pub labels: Tensor,
    /// Which images of the set they are.
    pub indices: Vec<usize>,
    /// Its number in its pass, counted from 0.
    pub number: usize,
    /// What else is in the images, where an augmentation mixes them.
    pub mixed: Option<Mixed>,
}

/// How the images of a batch are made.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) preparation: Preparation,
    pub(crate) augmentation: Augmentation,
    /// What is done after the augmentation's steps.
    pub(crate) transforms: Vec<Arc<dyn Transform>>,
    pub(crate) device: Device,
}

impl Pipeline {
    /// The batch of the images at `indices`, in that order; augmented as batch `number` of a pass if there is one. Files
    /// that may be left out are.
    pub(crate) fn batch(
        &self,
        images: &Images,
        indices: &[usize],
        pass: Option<(Pass, usize)>,
    ) -> Result<Batch, Error> {
        let shape = self.preparation.output(images)?;
        let made = self.preparation.rows(images, indices, |index, writer, out| {
            let mut picture = images.picture(index)?;
            let Some((pass, _)) = pass else { return writer.write(&picture, out) };
            let mut draws = pass.image(index);
            let target = writer.target(picture.size());
            self.augmentation.change(&mut picture, target, &mut draws);
            for transform in &self.transforms {
                transform.apply(&mut picture, target, &mut draws)?;
            }
            let resized = self.augmentation.resizes();
            if resized {
                writer.write_fitted(&picture, out)?
            } else {
                writer.write(&picture, out)?
            }
            self.augmentation.erase(out, [shape[1], shape[2]], &mut draws);
            Ok(())
        })?;
        let (mut prepared, mut kept) = (made.numbers, Vec::with_capacity(indices.len()));
        let size: usize = shape.iter().product();
        for (row, (index, outcome)) in indices.iter().zip(made.outcomes).enumerate() {
            match outcome {
                Ok(()) => {
                    // Rows move up into the places of those that are left out.
                    if kept.len() < row {
                        prepared.copy_within(row * size..(row + 1) * size, kept.len() * size);
                    }
                    kept.push(*index);
                }
                Err(error) if images.leave_out(&error) => {}
                Err(error) => return Err(error),
            }
        }
        prepared.truncate(kept.len() * size);
        if kept.is_empty() && !indices.is_empty() {
            return Err(Error::NothingLeft { count: indices.len() });
        }
        let share = pass.and_then(|(pass, number)| {
            let recipe = self.augmentation.mix.draw([shape[1], shape[2]], &mut pass.batch(number))?;
            Some(recipe.apply(&mut prepared, shape))
        });
        let labels: Vec<u32> = kept.iter().map(|index| images.labels()[*index]).collect();
        self.tensors(Rows { indices: kept, labels, prepared, shape }, share)
    }

    /// Of `share`: what is each image's own, if they are mixed.
    fn tensors(&self, rows: Rows, share: Option<f64>) -> Result<Batch, Error> {
        let Rows { indices, labels, prepared, shape } = rows;
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
        Ok(Batch { images, labels, indices, number: 0, mixed })
    }
}

/// Prepared images before they are tensors.
struct Rows {
    indices: Vec<usize>,
    labels: Vec<u32>,
    prepared: Vec<f32>,
    shape: [usize; 3],
}
