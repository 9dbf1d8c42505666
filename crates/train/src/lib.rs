//! Training of convolutional networks.
//!
//! ```text
//! Task { network, dataset, preparation, settings, device }  →  train(&task, folder, observer)?  →  Outcome
//! ```
//!
//! [`train`] is the loop; [`Settings`] says how, [`recipe::usual`] what each network's source used; [`RunFolder`] keeps
//! what comes of it; an [`Observer`] watches and may stop it. [`evaluate`] judges, [`WeightsFile`] reads weights back.

mod engine;
mod error;
mod evaluate;
mod fitting;
mod folder;
mod memory;
mod observer;
mod optimiser;
mod predictions;
mod recent;
pub mod recipe;
mod settings;
mod training;
mod weights;
mod whole_file;

pub use engine::{Engine, PlannedEvaluation, Updates};
pub use error::{Error, Result};
pub use evaluate::{Classify, Evaluated, evaluate};
pub use fitting::fit;
pub use folder::RunFolder;
pub use memory::Memory;
pub use observer::{Begin, Observer, Observers, Silent, Step};
pub use optimiser::Optimiser;
pub use predictions::{Predictions, predict};
pub use recent::{Figures, Recent};
pub use settings::{Rule, Schedule, Settings};
pub use training::{Epoch, Outcome, Task, train};
pub use weights::{Card, WeightsFile};
pub use whole_file::write_whole;
