//! What runs a plan, and owns the memory it takes.

mod back;
mod clock;
mod evaluation;
mod forward;
mod gradients;
pub(crate) mod loss;
pub(crate) mod maps;
mod pass;
mod predictor;
mod together;
mod training;
mod workspace;

pub use back::AllSums;
pub use clock::StageTime;
pub use evaluation::Evaluation;
pub use gradients::{GradientForward, GradientRun};
pub use loss::{Loss, OutputGradients, check_cross_entropy};
pub use pass::{Dropout, Pass};
pub use predictor::{Predictor, softmax};
pub use together::{ReceiveOfShard, Share, Together};
pub use training::{Forward, TrainingRun};
pub use workspace::RunWorkspace;
