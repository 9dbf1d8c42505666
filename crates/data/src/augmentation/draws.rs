//! The random numbers of an augmentation.

use cnn_network::seed;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Beta, Distribution, StandardNormal};

/// Which pass over the images is augmented: with the image's index it decides every draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) seed: u64,
    pub(crate) epoch: usize,
}

impl Pass {
    /// The draws for image `index`, whatever batch and thread it is in, where it came `before` so many times in this pass.
    pub(crate) fn image(self, index: usize, before: u32) -> Draws {
        let again = if before == 0 { String::new() } else { format!(" again {before}") };
        let stream = seed::stream(self.seed, &format!("augment epoch {} image {index}{again}", self.epoch));
        Draws { stream, turn: Some((self, index)) }
    }

    /// The draws for batch `number`.
    pub(crate) fn batch(self, number: usize) -> Draws {
        let stream = seed::stream(self.seed, &format!("augment epoch {} batch {number}", self.epoch));
        Draws { stream, turn: None }
    }
}

/// The random numbers of one image in one epoch: the same whatever batch and thread it is in.
#[derive(Debug)]
pub struct Draws {
    stream: seed::Rng,
    /// The pass and the image, where they are an image's.
    turn: Option<(Pass, usize)>,
}

impl Draws {
    /// True in every other epoch of an image; a coin for each image decides which come first.
    pub fn alternates(&mut self) -> bool {
        match self.turn {
            Some((Pass { seed, epoch }, index)) => {
                seed::stream(seed, &format!("alternate image {index}")).random::<bool>() ^ (epoch % 2 == 1)
            }
            None => self.chance(0.5),
        }
    }

    /// Evenly from `low` to `high`; `low` where they are equal.
    pub fn between(&mut self, [low, high]: [f64; 2]) -> f64 {
        low + (high - low) * self.stream.random::<f64>()
    }

    /// Evenly from −`most` to `most`.
    pub fn around(&mut self, most: f64) -> f64 {
        self.between([-most, most])
    }

    /// A whole number from 0 to less than `count`; 0 where there is none.
    pub fn below(&mut self, count: usize) -> usize {
        // Through u64, so that the draws are the same where addresses have 32 bits.
        self.stream.random_range(0..count.max(1) as u64) as usize
    }

    /// True as often as `probability` says: always for 1, never for 0.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.stream.random::<f64>() < probability
    }

    /// Puts `values` in any order.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        values.shuffle(&mut self.stream);
    }

    /// From the normal distribution of mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.stream)
    }

    /// From the beta distribution with both parameters `alpha`; a half where `alpha` is none for it.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        Beta::new(alpha, alpha).map_or(0.5, |beta| beta.sample(&mut self.stream))
    }
}
