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
mod engine;
mod error;
mod evaluate;
mod fitting;
mod folder;
mod freeze;
mod memory;
mod observer;
mod optimiser;
mod predictions;
mod recent;
mod recipe;
mod rule;
mod schedule;
mod set_aside;
mod settings;
mod tensor_rule;
mod training;
mod weights;
mod whole_file;

pub use claim::Claim;
pub use cnn_weights::{Start, Weights};
pub use engine::{Engine, PlannedEvaluation, Updates};
pub use error::{Error, Result};
pub use evaluate::{Classify, Evaluated, evaluate};
pub use fitting::fit;
pub use folder::{Checkpoints, Every, RunFolder};
pub use memory::{Memory, check_evaluation_fits};
pub use observer::{Begin, Evaluation, Observer, Observers, Silent, Step};
pub use optimiser::Optimiser;
pub use predictions::{Predictions, predict};
pub use recent::{Figures, Recent};
pub use recipe::{DataChoice, Recipe};
pub use rule::Rule;
pub use schedule::{Schedule, WarmUp, When};
pub use settings::{Clip, Decay, Precision, Settings};
pub use training::{Epoch, Outcome, Task, train};
pub use weights::{Card, WeightsFile};
pub use whole_file::write_whole;
