//! The inference plan: a network with its weights, lowered and packed for answering alone.
//!
//! ```text
//! &Network ── fuse, lower ──→ steps over stores ── arrange ──→ offsets in one arena
//! &Weights ── fold, pack ──→ packed weights                 └→ cnn_kernels::inference::Program
//! ```

mod build;
mod fold;
mod fusion;
mod lifetime;
mod lower;
mod options;
mod plan;
mod weights;

pub use options::{InferenceOptions, Numeric};
pub use plan::{InferencePlan, StepReport, Workspace};
