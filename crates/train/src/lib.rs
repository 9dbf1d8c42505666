//! Training of convolutional networks.
//!
//! ```text
//! Task { network, dataset, preparation, settings, device, … }  →  train(&task, folder, observer)?  →  Outcome
//! ```
//!
//! [`train`] is the loop; [`Settings`] says how, a [`Recipe`] names settings and [`Recipe::usual`] knows what each network's
//! source used; [`RunFolder`] keeps what comes of it and lets a run go on; an [`Observer`] watches and may stop it.
//! [`evaluate`] judges, [`WeightsFile`] reads weights back, for evaluation or as the [`Start`] of another training.

mod average;
mod checkpoint;
mod claim;
mod classify;
mod engine;
mod epoch;
mod error;
mod evaluate;
mod fitting;
mod folder;
mod freeze;
mod loss;
mod memory;
mod metric;
mod observer;
mod optimiser;
mod predictions;
mod recent;
mod recipe;
mod rule;
mod schedule;
mod set_aside;
mod settings;
mod stopping;
mod task;
mod tensor_rule;
mod training;
mod weights;
mod whole_file;

pub use claim::Claim;
pub use classify::{Classify, classifier, tensors};
pub use cnn_plan::Targets;
pub use cnn_weights::{Start, Weights};
pub use engine::{Engine, Learner, Lesson, Saved, Stepped, Updates};
pub use epoch::Epoch;
pub use error::{Error, Result};
pub use evaluate::{Evaluated, evaluate};
pub use fitting::fit;
pub use folder::{Checkpoints, Every, RunFolder};
pub use loss::{LossAndGradients, LossFunction, Output, SoftmaxCrossEntropy};
pub use memory::{Memory, check_evaluation_fits};
pub use metric::{Metric, Top};
pub use observer::{Begin, Evaluation, Judged, Observer, Observers, Silent, StepReport, Stop};
pub use optimiser::Optimiser;
pub use predictions::{Predictions, predict};
pub use recent::{Figures, Recent};
pub use recipe::{DataChoice, Recipe};
pub use rule::Rule;
pub use schedule::{Schedule, WarmUp, When};
pub use settings::{Clip, Decay, Precision, Settings};
pub use stopping::{Patience, StoppingRule};
pub use task::Task;
pub use training::{Ending, Outcome, train, train_with};
pub use weights::{Card, WeightsFile};
pub use whole_file::write_whole;
