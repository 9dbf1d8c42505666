//! The inference plan: a network with its weights, lowered and packed for answering alone.
//!
//! ```text
//! &Network ── fuse, lower ──→ steps over stores ── arrange ──→ offsets in one arena
//! &Weights ── fold, pack ──→ packed weights                 └→ cnn_kernels::inference::Program
//! ```

mod build;
mod calibration;
mod calibrator;
mod file;
mod fold;
mod fusion;
mod histogram;
mod lifetime;
mod lower;
mod narrow;
mod numbers;
mod options;
mod plan;
mod report;
mod source;

pub use calibration::Calibration;
pub use calibrator::Calibrator;
pub use options::{InferenceOptions, Numeric};
pub use plan::{InferencePlan, Workspace};
pub use report::StepReport;
