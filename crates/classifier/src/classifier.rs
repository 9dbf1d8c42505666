//! Trained weights that answer.

use crate::error::{Error, Result};
use crate::trained::{Known, Trained, prepare};
use cnn_core::{InferenceOptions, InferencePlan, Predictor};
use cnn_data::{Card, Picture};

/// A network with its weights, which knows how a picture becomes an input and what its outputs are called. It runs on the
/// CPU; threads share it.
#[derive(Clone, Debug)]
pub struct Classifier {
    predictor: Predictor,
    card: Card,
}

/// A class that a picture may be of.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The number of the class, from 0.
    pub index: usize,
    /// Its name.
    pub class: String,
    /// Its probability, from 0 to 1.
    pub probability: f32,
}

impl Classifier {
    /// Opens weights that say what they are: a file, a run's folder, or the name of weights: see [`Trained::open`].
    ///
    /// # Errors
    ///
    /// As [`Trained::open`].
    pub fn open(source: &str) -> Result<Self> {
        Self::new(&Trained::open(source, &Known::default())?)
    }

    /// A classifier of trained weights.
    ///
    /// # Errors
    ///
    /// Numbers that are not finite, a file that can no longer be read; a card whose names of classes are not as many as the
    /// network's outputs, or whose pictures are of another size than the network reads.
    pub fn new(trained: &Trained) -> Result<Self> {
        Self::by(trained, InferenceOptions::default())
    }

    /// The same by a plan of one's own: in another way of computing, above all.
    ///
    /// # Errors
    ///
    /// As [`Classifier::new`]; a way of computing that the CPU has no instructions for, or that lacks its scales.
    pub fn by(trained: &Trained, options: InferenceOptions<'_>) -> Result<Self> {
        let plan = InferencePlan::new(&trained.network, &trained.weights, options)?;
        trained.check(plan.targets()[0])?;
        Ok(Self { predictor: Predictor::of(plan), card: trained.card.clone() })
    }

    /// What is known of the weights.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The `top` most probable classes of a picture, the most probable first; of equals the first.
    ///
    /// # Errors
    ///
    /// A picture that cannot be prepared to what the network reads.
    pub fn classify(&self, picture: &Picture<'_>, top: usize) -> Result<Vec<Answer>> {
        let mut answers = self.classify_prepared(&self.prepare(picture)?, top)?;
        Ok(answers.swap_remove(0))
    }

    /// The numbers of a picture that the network reads, in the order (channel, row, column).
    ///
    /// # Errors
    ///
    /// A picture that cannot be prepared to what the network reads.
    pub fn prepare(&self, picture: &Picture<'_>) -> Result<Vec<f32>> {
        prepare(&self.card, picture)
    }

    /// [`Classifier::classify`] for pictures that [`Classifier::prepare`] has prepared, one after the other: a batch. Each
    /// picture's answer is the same in any batch.
    ///
    /// # Errors
    ///
    /// Numbers that are not those of whole pictures; scores that are not finite.
    pub fn classify_prepared(&self, pictures: &[f32], top: usize) -> Result<Vec<Vec<Answer>>> {
        let probabilities = self.predictor.probabilities(pictures)?;
        if probabilities.iter().any(|probability| !probability.is_finite()) {
            return Err(Error::NoAnswer { network: self.card.network.clone() });
        }
        Ok(probabilities.chunks_exact(self.card.classes.len()).map(|row| self.best(row, top)).collect())
    }

    fn best(&self, probabilities: &[f32], top: usize) -> Vec<Answer> {
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
        let answer =
            |index: usize| Answer { index, class: self.card.classes[index].clone(), probability: probabilities[index] };
        order.into_iter().take(top).map(answer).collect()
    }
}
