//! What every engine can do.

#[cfg(feature = "candle")]
use super::candle::{Forward, Training};
use super::plan::{Inference, Planned};
use super::workload::{Batch, Workload};
use crate::cli::EngineName;
use anyhow::Result;
use cnn_plan::StepReport;
use cnn_train::Weights;

/// A network with weights and a batch, which takes the same step as often as it is told.
pub trait Engine {
    /// One forward pass in evaluation mode, or one step of training.
    fn step(&mut self) -> Result<()>;

    /// What the last step computed, and its dimensions: the logits, or in training the loss, a scalar.
    fn output(&self) -> Result<(Vec<usize>, Vec<f32>)>;

    /// Where the time went, if the engine knows: for each of its steps the node, what it does, and the milliseconds, all
    /// steps taken together, of the forward pass, the gradients of inputs and the gradients of weights.
    fn steps(&self) -> Vec<(String, String, [f64; 3])> {
        Vec::new()
    }

    /// What each step of an inference plan is and what it took, all steps taken together.
    fn explained(&self) -> Vec<StepReport<'_>> {
        Vec::new()
    }

    /// Every tensor of the network, running statistics included, as the last step of training left it; nothing of
    /// forward passes, which change none.
    fn tensors(&self) -> Result<Weights> {
        Ok(Weights::new())
    }
}

/// The engine of this name, ready to take its first step.
pub fn open(name: EngineName, workload: &Workload, batch: Batch) -> Result<Box<dyn Engine>> {
    Ok(match (name, workload.train) {
        #[cfg(feature = "candle")]
        (EngineName::Candle, false) => Box::new(Forward::new(workload, batch)?),
        #[cfg(feature = "candle")]
        (EngineName::Candle, true) => Box::new(Training::new(workload, batch)?),
        #[cfg(not(feature = "candle"))]
        (EngineName::Candle, _) => return Err(cnn_train::Error::CandleFeature.into()),
        (EngineName::Plan, false) => Box::new(Inference::new(workload, batch)?),
        (EngineName::Plan, true) => Box::new(Planned::new(workload, batch)?),
    })
}
