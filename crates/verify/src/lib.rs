//! Networks held to what other implementations and the papers say.
//!
//! | module | holds networks to |
//! | --- | --- |
//! | [`shapes`] | `tests/reference/networks/*.json`: parameters, multiply-accumulates, tensors, output shapes |
//! | [`papers`] | `tests/reference/papers.json`: numbers as the papers print them |
//! | [`parity`] | `tests/goldens/parity/*.safetensors`: logits, inner nodes, gradients |
//!
//! Every comparison counts what it compared and returns its mismatches; nothing is skipped in silence.
//!
//! ```
//! use cnn_verify::reference::Reference;
//! use cnn_verify::shapes;
//!
//! let resnet18 = cnn_zoo::find("resnet18")?;
//! let mut table = Reference::at("../../tests/reference").table("resnet18")?.ok_or("torchvision's table")?;
//! let comparison = shapes::compare(&resnet18, &table)?;
//! assert_eq!((comparison.tensors, comparison.mismatches.len()), (102, 0));
//!
//! table.classes = 10; // another network than the table is of
//! assert!(shapes::compare(&resnet18, &table)?.mismatches.iter().any(|mismatch| mismatch.place == "parameters"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
