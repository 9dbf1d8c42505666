//! What computes a training step: candle's autograd on any device, or the planned step on the CPU.

mod candle;
mod planned;

pub use planned::{PlannedEvaluation, Updates};

use crate::error::Result;
use crate::evaluate::{Evaluated, evaluate};
use crate::settings::Settings;
use candle_core::Device;
use cnn_core::{Model, Network};
use cnn_data::{Batch, Loader};
use serde::{Deserialize, Serialize};

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

/// What a step gave.
pub(crate) struct Stepped {
    pub(crate) loss: f32,
    /// Images whose largest score was their label's.
    pub(crate) correct: usize,
}

impl Learner {
    /// A freshly initialised network.
    pub(crate) fn new(engine: Engine, network: &Network, settings: &Settings, device: &Device) -> Result<Self> {
        Ok(match engine {
            Engine::Candle => Self::Candle(Box::new(candle::Learner::new(network, settings, device)?)),
            Engine::Plan => Self::Plan(Box::new(planned::Learner::new(network, settings)?)),
        })
    }

    /// One step; where the loss is no number, no weight is changed.
    pub(crate) fn step(&mut self, batch: &Batch, learning_rate: f64) -> Result<Stepped> {
        match self {
            Self::Candle(learner) => learner.step(batch, learning_rate),
            Self::Plan(learner) => learner.step(batch, learning_rate),
        }
    }

    /// How the network does on other images.
    pub(crate) fn evaluate(&mut self, loader: &Loader<'_>) -> Result<Evaluated> {
        match self {
            Self::Candle(learner) => evaluate(&mut learner.model().evaluation(), loader),
            Self::Plan(learner) => evaluate(learner.evaluation(), loader),
        }
    }

    /// The network with the weights it has now.
    pub(crate) fn model(&self) -> Result<&Model> {
        match self {
            Self::Candle(learner) => Ok(learner.model()),
            Self::Plan(learner) => learner.model(),
        }
    }

    /// The network with its weights.
    pub(crate) fn into_model(self) -> Result<Model> {
        match self {
            Self::Candle(learner) => Ok(learner.into_model()),
            Self::Plan(learner) => learner.into_model(),
        }
    }
}
