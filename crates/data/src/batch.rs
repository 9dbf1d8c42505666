//! A batch, and how it is made.

use crate::augmentation::Pass;
use crate::{Augmentation, Error, Images, Mixed, Preparation, Transform};
use std::sync::Arc;

/// Images and labels that go through a network together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The prepared images, in the order (image, channel, row, column).
    pub images: Vec<f32>,
    /// Channels, height and width of each.
    pub shape: [usize; 3],
    /// The label of each.
    pub labels: Vec<u32>,
    /// Which images of the set they are.
    pub indices: Vec<usize>,
    /// Its number in its pass, counted from 0.
    pub number: usize,
    /// Which shard of that batch it is, counted from 0: see [`Loader::sharded`](crate::Loader::sharded).
    pub shard: usize,
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
}

impl Pipeline {
    /// The batch of the images at `indices`, in that order; augmented as batch `number` of a pass if there is one, in which
    /// each came as often before as `repeats` says, if it says anything. Files that may be left out are.
    pub(crate) fn batch(
        &self,
        images: &Images,
        indices: &[usize],
        repeats: &[u32],
        pass: Option<(Pass, usize)>,
    ) -> Result<Batch, Error> {
        let shape = self.preparation.output(images)?;
        let made = self.preparation.rows(images, indices, |place, writer, out| {
            let index = indices[place];
            let mut picture = images.picture(index)?;
            let Some((pass, _)) = pass else { return writer.write(&picture, out) };
            let mut draws = pass.image(index, repeats.get(place).copied().unwrap_or(0));
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
        let mixed = share.map(|share| Mixed { labels: partners(&labels), share });
        Ok(Batch { images: prepared, shape, labels, indices: kept, number: 0, shard: 0, mixed })
    }
}

/// The labels of the images that were mixed in: each image's partner is the one before it.
fn partners(labels: &[u32]) -> Vec<u32> {
    let mut partners = labels.to_vec();
    partners.rotate_right(1.min(labels.len()));
    partners
}
