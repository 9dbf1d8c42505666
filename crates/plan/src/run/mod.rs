//! What runs a plan, and owns the memory it takes.

mod back;
mod clock;
mod evaluation;
mod forward;
mod gradients;
pub(crate) mod loss;
pub(crate) mod maps;
mod predictor;
mod together;
mod training;
mod workspace;

pub use clock::StageTime;
pub use evaluation::Evaluation;
pub use gradients::{GradientForward, GradientRun};
pub use loss::{Loss, OutputGradients, check_cross_entropy};
pub use predictor::Predictor;
pub use together::{ReceiveOfShard, Share, Together};
pub use training::{Dropout, Forward, TrainingRun};

use crate::plan::Plan;
use cnn_kernels::InstructionSet;
pub use together::AllSums;
pub use workspace::RunWorkspace;

/// One pass over a plan's stages: the plan, and the memory of the run.
pub struct Pass<'a, T> {
    plan: &'a Plan,
    workspace: &'a mut RunWorkspace<T>,
    set: InstructionSet,
    /// The images `(N, C, H, W)`, which are read where they are; none in a backward pass to nodes, which reads none.
    images: &'a [T],
    /// How many there are.
    batch: usize,
    /// Where dropout's masks come from; in evaluation there are none.
    dropout: Dropout,
}
