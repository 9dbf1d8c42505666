//! What computes a training step: candle's autograd on any device, or the planned step on the CPU.

mod candle;
mod gathered;
mod gradients;
mod planned;
mod updates;

pub use planned::PlannedEvaluation;
pub use updates::Updates;

use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::evaluate::{Evaluated, evaluate_while};
use crate::settings::Settings;
use crate::weights::Tensors;
use candle_core::Device;
use cnn_core::{Model, Network};
use cnn_data::{Batch, Loader};
use cnn_weights::{Start, Weights};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// The name of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// candle's operations and autograd, on any device.
    Candle,
    /// The step planned over this project's own kernels; CPU only.
    Plan,
}

impl Engine {
    /// The faster one on this device.
    pub fn usual(device: &Device) -> Self {
        if device.is_cpu() { Self::Plan } else { Self::Candle }
    }
}

/// A network that learns.
pub(crate) enum Learner {
    Candle(Box<candle::Learner>),
    Plan(Box<planned::Learner>),
}

/// What a learner is made of.
#[derive(Clone, Copy)]
pub(crate) struct Lesson<'a> {
    pub(crate) network: &'a Network,
    pub(crate) settings: &'a Settings,
    pub(crate) device: &'a Device,
    pub(crate) start: Option<&'a Start>,
    /// For each tensor whether it stays as it is.
    pub(crate) frozen: &'a [bool],
    /// Training passes taken before.
    pub(crate) passes: u64,
}

impl Lesson<'_> {
    /// The weights every tensor begins with.
    fn beginning(&self) -> Weights {
        let mut weights = Weights::initialised(self.network, self.settings.seed);
        for (name, tensor) in self.start.into_iter().flat_map(|start| start.weights.iter()) {
            weights.insert(name, tensor.clone());
        }
        weights
    }
}

/// What a step gave.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stepped {
    /// Mean loss.
    pub(crate) loss: f32,
    /// Images whose largest score was their label's.
    pub(crate) correct: usize,
}

impl Stepped {
    /// Together with the outcome of a batch that is `share` of the step's images.
    fn with(self, other: Self, share: f64) -> Self {
        let loss = if share == 1.0 { other.loss } else { self.loss + (f64::from(other.loss) * share) as f32 };
        Self { loss, correct: self.correct + other.correct }
    }
}

/// The share that each batch has of a step's images.
fn shares(batches: &[Batch]) -> impl Iterator<Item = (&Batch, f64)> {
    let images: usize = batches.iter().map(|batch| batch.indices.len()).sum();
    batches.iter().map(move |batch| (batch, batch.indices.len() as f64 / images as f64))
}

impl Learner {
    /// A network before its first step.
    pub(crate) fn new(engine: Engine, lesson: Lesson<'_>) -> Result<Self> {
        Ok(match engine {
            Engine::Candle => Self::Candle(Box::new(candle::Learner::new(lesson)?)),
            Engine::Plan => Self::Plan(Box::new(planned::Learner::new(lesson)?)),
        })
    }

    /// One step by the mean gradient of all batches' images; where the loss is no number, no weight is changed.
    pub(crate) fn step(&mut self, batches: &[Batch], learning_rate: f64) -> Result<Stepped> {
        match self {
            Self::Candle(learner) => learner.step(batches, learning_rate),
            Self::Plan(learner) => learner.step(batches, learning_rate),
        }
    }

    /// How the network does on other images; with a moving average, how its average does. After each batch `goes_on`
    /// is told how many images are done, and may stop it.
    pub(crate) fn evaluate(
        &mut self,
        loader: &Loader<'_>,
        goes_on: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<ControlFlow<(), Evaluated>> {
        match self {
            Self::Candle(learner) => evaluate_while(&mut learner.judged()?.evaluation(), loader, goes_on),
            Self::Plan(learner) => evaluate_while(&mut learner.judged(), loader, goes_on),
        }
    }

    /// The weights that are trained.
    pub(crate) fn weights(&self) -> Result<Tensors<'_>> {
        match self {
            Self::Candle(learner) => learner.weights(),
            Self::Plan(learner) => Ok(learner.weights()),
        }
    }

    /// The weights that are worth keeping: the average where there is one.
    pub(crate) fn kept(&self) -> Result<Tensors<'_>> {
        match self {
            Self::Candle(learner) => learner.kept(),
            Self::Plan(learner) => Ok(learner.kept()),
        }
    }

    /// What a run needs beside its weights to go on: names are `MEMORY/TENSOR`.
    pub(crate) fn state(&self) -> Result<Tensors<'_>> {
        match self {
            Self::Candle(learner) => learner.state(),
            Self::Plan(learner) => Ok(learner.state()),
        }
    }

    /// Goes on from a checkpoint of the same network.
    pub(crate) fn restore(&mut self, checkpoint: Checkpoint) -> Result<()> {
        match self {
            Self::Candle(learner) => learner.restore(checkpoint),
            Self::Plan(learner) => learner.restore(checkpoint),
        }
    }

    /// The network with the weights worth keeping.
    pub(crate) fn into_model(self) -> Result<Model> {
        match self {
            Self::Candle(learner) => learner.judged(),
            Self::Plan(learner) => learner.into_model(),
        }
    }
}
