//! A network on the CPU, planned: its training step, its evaluation meanwhile, and its answers once it is trained.
//!
//! ```text
//! &Network → TrainingPlan   → TrainingRun  forward(parameters, images) → Forward, which backward consumes
//!          → EvaluationPlan → Evaluation   outputs(&parameters, images), from any number of threads
//! &Network, &Weights       → InferencePlan  run(workspace, images, outputs), from threads with a workspace each
//!                          → Predictor      logits(images): the same, with workspaces kept for its callers
//! ```
//!
//! candle's `backward` keeps every intermediate result, makes a zero tensor and an addition for every edge, and knows no
//! fusion. The [`Network`](cnn_network::Network) is known before its first step, so all of that can be decided beforehand:
//! a plan turns nodes into stages over stores, in which batch normalisation and ReLU are *maps* applied where a value is
//! read, and concatenation is writing side by side; gradients pass sums uncopied; stores share memory.
//!
//! ```
//! use cnn_network::definition::{chain, conv, linear};
//! use cnn_plan::Predictor;
//! use cnn_weights::Weights;
//!
//! let network = chain()
//!     .then("conv", conv(3).out(8).pad(1))
//!     .relu()
//!     .global_avg_pool()
//!     .then("fc", linear(10))
//!     .named("tiny", [1, 8, 8])
//!     .at_usual_input()?;
//! let predictor = Predictor::new(&network, &Weights::initialised(&network, 7))?;
//! let images = vec![0.5; 2 * 64]; // two images of 1×8×8
//! let logits = predictor.logits(&images)?;
//! assert_eq!(logits.len(), 2 * 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A workspace does not inherit the profile of its dependencies, and unoptimised the kernels are about sixty times slower.
//! So put this into the `Cargo.toml` of yours; your own code stays a debug build.
//!
//! ```toml
//! [profile.dev.package.cnn-kernels]
//! opt-level = 3
//! [profile.dev.package.cnn-plan]
//! opt-level = 3
//! ```

mod error;
mod from_weights;
mod inference;
mod instances;
pub mod operation;
mod parameters;
mod plan;
mod run;

pub use cnn_kernels::InstructionSet;
pub use cnn_kernels::inference::ConvAlgorithm;
pub use cnn_kernels::loss::Targets;
pub use error::{Error, Result, instructions};
pub use inference::{Calibration, Calibrator, InferenceOptions, InferencePlan, Numeric, StepReport, Workspace};
pub use instances::Real;
pub use parameters::{Parameters, Parts, Receive, Update};
pub use plan::{EvaluationPlan, GradientPlan, Plan, Recompute, TrainingOptions, TrainingPlan};
pub use run::{
    Dropout, Evaluation, Forward, GradientForward, GradientRun, Loss, OutputGradients, Predictor, ReceiveOfShard,
    Share, StageTime, Together, TrainingRun, check_cross_entropy, softmax,
};
