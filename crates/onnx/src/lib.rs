//! A network with its weights as an ONNX file: operators of set 17, the batch free, names those of the network.
//!
//! ```text
//! &Network, &Weights  →  Export { fold, normalise, … }  →  to_bytes()   the file
//! ```
//!
//! ```
//! use cnn_network::definition::{chain, conv, linear};
//! use cnn_onnx::{About, Export};
//! use cnn_weights::Weights;
//!
//! let definition = chain().then("conv", conv(3).out(8)).relu().global_avg_pool().then("fc", linear(2));
//! let network = definition.named("tiny", [1, 8, 8]).at_usual_input()?;
//! let weights = Weights::initialised(&network, 7);
//! let about = About { classes: vec!["cat".to_string(), "dog".to_string()], ..About::default() };
//! let file = Export { about, ..Export::default() }.to_bytes(&network, &weights)?;
//! std::fs::write(std::env::temp_dir().join("tiny.onnx"), file)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is in the file
//!
//! The input is `input`, `(N, C, H, W)` in f32; with [`Export::normalise`] it is `pixels`. The output is `logits`, with
//! [`Export::probabilities`] also `probabilities`. Between them every value has the path of its node in the network, and
//! every tensor its name; what an operation needs besides stands behind its path: `avg_pool/rows`. `N` is any number of
//! images, height and width are fixed. Auxiliary heads and dropout are left out.
//!
//! Where runtimes differ, the file says what is meant without the feature they differ in:
//!
//! | operation | in the file |
//! | --- | --- |
//! | a pool whose last window hangs over the edge | end pads by number, never `ceil_mode` |
//! | average pool | `count_include_pad` always; where a window's divisor is neither of its two, a product with constants after it |
//! | adaptive average pool | `GlobalAveragePool`, or `AveragePool` where all windows are equal, else products with two constant matrices |
//! | local response normalisation | `LRN` with `alpha` times `size`; of an even size as an average over channels, since `LRN` has its extra channel on the other side |
//! | a connection table | a kernel with zeros |
//! | radial basis functions | the sum of squared differences, not the cheaper expansion, which cancels |
//!
//! [`About`] lists what `metadata_props` says: classes, how a picture becomes an input, where the weights are from.

mod about;
mod attribute;
mod elementwise;
mod error;
mod export;
mod file;
mod fold;
mod graph;
mod layers;
mod lower;
mod norm;
mod normalise;
mod origin;
mod pool;
#[rustfmt::skip]
pub mod schema;
#[cfg(test)]
mod structure;
mod tensor;

pub use about::About;
pub use error::{Error, Result};
pub use export::Export;
pub use normalise::Pixels;

/// The version of ONNX's operators that a file uses.
pub const OPERATORS: i64 = 17;

/// The version of the file format, ONNX's `IR_VERSION`.
pub const FORMAT: i64 = 8;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
