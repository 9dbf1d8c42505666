//! The time and the memory of a step, on any of the engines.
//!
//! A [`Workload`] says what a step is, an [`Engine`] takes it. A new engine is a file that implements the trait, and a
//! line in [`open`](fn@open).

mod callers;
#[cfg(feature = "candle")]
mod candle;
mod engine;
pub mod explain;
mod open;
mod plan;
mod serve;
mod times;
mod workload;

pub use callers::callers;
pub use engine::Engine;
pub use open::open;
pub use serve::serve;
pub use times::{Times, milliseconds};
pub use workload::{Batch, LEARNING_RATE, MOMENTUM, Request, Workload};
