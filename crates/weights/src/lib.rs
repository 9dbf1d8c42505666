//! A network's weights as a value: named tensors, without candle, a device or a network of their own.
//!
//! ```text
//! a file      →  Weights::read      names, shapes and metadata; the numbers stay in the file until they are asked for
//! a network   →  Weights::initialised, from a seed
//! Weights     →  load(&network, …)  Loading: what is taken, renamed, missing, unexpected, misshapen, as a report
//!             →  for_network(…)     the network's tensors under its names, or the first thing that is wrong
//!             →  numbers_of(…)      the numbers of one of them, all finite
//!             →  start(&network)    where training begins: what is taken over, and what is initialised
//!             →  sizes(…)           for how many classes and input channels they are
//!             →  named(…)           under torchvision's or timm's names
//!             →  to_bytes()         a safetensors file
//! BorrowedWeights  →  to_bytes()    the same, of tensors that somebody else holds
//! ```
//!
//! Files are safetensors, and with the feature `pytorch` whatever `torch.save` writes or wrote, which is read without
//! running any code that a pickle names.
//!
//! Whatever reads weights reads these: plans, candle's models, checkpoints, exports. So what a file may lack and what it
//! may have too much of is decided here and nowhere else.
//!
//! ```
//! use cnn_network::definition::{chain, conv};
//! use cnn_weights::Weights;
//!
//! let network = chain().then("conv", conv(3).out(8)).global_avg_pool().named("tiny", [1, 8, 8]).at_usual_input()?;
//! let weights = Weights::initialised(&network, 7);
//! weights.check(&network)?;
//! assert_eq!(weights.get("conv.weight").unwrap().dims(), [8, 1, 3, 3]);
//!
//! let other = chain().then("conv", conv(5).out(8)).global_avg_pool().named("other", [1, 8, 8]).at_usual_input()?;
//! let problem = weights.check(&other).unwrap_err().to_string();
//! assert_eq!(problem, "other: tensor conv.weight should be 8×1×5×5, but the weights have 8×1×3×3");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod borrowed;
mod card;
mod check;
mod error;
mod file;
mod format;
mod loading;
#[cfg(feature = "pytorch")]
mod pytorch;
mod safetensors_file;
mod start;
mod stored;
mod tensor;
mod text;
mod weights;
mod written;

pub use borrowed::BorrowedWeights;
pub use card::CARD;
pub use error::{Error, Result};
pub use loading::{Allowed, Listed, Loading, Misshapen, Naming, Renamed, Sizes};
pub use start::Start;
pub use tensor::{Number, Tensor};
pub use weights::Weights;
pub use written::Precision;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
