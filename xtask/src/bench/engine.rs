//! What every engine can do.

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
