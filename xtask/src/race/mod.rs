//! This project against torch, ONNX Runtime, OpenVINO, ncnn and rten, in turns.
//!
//! Every contestant is a process of its own that takes a step when it is told: this program as `bench --serve`, the
//! others as `race/rival.py` or `race/rten`. First each shows, in a process that ends again, that it computes the same
//! from the same weights; then they take their steps in turns, so that whatever else the machine does meets all of them.

mod agreement;
mod case;
mod contestant;
mod heat;
mod lineup;
mod others;
mod pace;
mod record;
mod report;
mod rten;

pub use case::Case;
pub use heat::{Heat, Setting};
pub use lineup::Lineup;
pub use pace::Pacer;
#[cfg(test)]
pub use record::example;
pub use record::{Machine, Outcome, Race, Records};
pub use report::{RIVALS, means, ratios, table};
