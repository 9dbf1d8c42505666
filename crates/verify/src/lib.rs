//! Networks held to what other implementations and the papers say.
//!
//! | module | holds networks to |
//! | --- | --- |
//! | [`shapes`] | `tests/reference/networks/*.json`: parameters, multiply-accumulates, tensors, output shapes |
//! | [`papers`] | `tests/reference/papers.json`: numbers as the papers print them |
//! | [`parity`] | `tests/goldens/parity/*.safetensors`: logits, inner nodes, gradients |
//!
//! Every comparison counts what it compared and returns its mismatches; nothing is skipped in silence.

mod error;
#[cfg(feature = "candle")]
pub mod golden;
mod mismatch;
pub mod papers;
#[cfg(feature = "candle")]
pub mod parity;
pub mod reference;
pub mod rule;
pub mod shapes;
mod share;
#[cfg(feature = "candle")]
mod stack;

pub use error::{Error, Result};
pub use mismatch::Mismatch;
pub use share::Share;
#[cfg(feature = "candle")]
pub use stack::deep;
