//! A network's training step and its evaluation, planned.
//!
//! ```text
//! &Network  →  Plan::training  →  forward(parameters, images, labels)  →  loss
//!                                  backward(parameters, receiver)       every gradient, handed over once it is there
//! ```
//!
//! candle's `backward` keeps every intermediate result, makes a zero tensor and an addition for every edge, and knows no
//! fusion. The [`Network`](cnn_core::Network) is known before its first step, so all of that can be settled beforehand:
//! `lower` turns nodes into steps over stores, in which batch normalisation and ReLU are *maps* applied
//! where a value is read, and concatenation is writing side by side; `passing` lets gradients go through sums uncopied;
//! `lifetime` lets stores share memory.

mod backward;
mod clock;
mod error;
mod forward;
mod home;
mod lifetime;
mod lower;
mod memory;
mod parameters;
mod passing;
mod plan;
mod recompute;
mod schedule;
mod step;
mod value;

pub use clock::StepTime;
pub use cnn_kernels::loss::Targets;
pub use error::{Error, Result};
pub use parameters::{Parameters, Parts, Receive, Update};
pub use plan::{Batch, Plan, TrainingOptions};
pub use recompute::Recompute;
