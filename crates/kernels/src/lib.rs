//! Convolution, pooling, normalisation and their gradients on the CPU, over slices.
//!
//! The kernels know neither candle nor networks. Feature maps lie in blocks of sixteen channels ([`Place`]), are read
//! through [`View`]s and written through [`Sink`]s, so that what stands between two convolutions costs no pass over
//! memory of its own. Every kernel is written once for vectors of sixteen numbers and compiled for each
//! [`InstructionSet`]; the portable one is what the others are held against. Results do not depend on the number of
//! [`threads`].
//!
//! All `unsafe` code of the workspace is in this crate.

pub mod activation;
mod buffer;
pub mod conv;
pub mod copy;
mod element;
pub mod flatten;
mod instances;
pub mod linear;
pub mod loss;
pub mod lrn;
pub mod peak;
mod pieces;
mod place;
pub mod pool;
mod prefetch;
pub mod rule;
mod simd;
mod sink;
pub mod threads;
mod transpose;
pub mod update;
mod view;

pub use buffer::Buffer;
pub use conv::{Algorithm, Conv};
pub use element::Element;
pub use linear::Linear;
pub use lrn::Lrn;
pub use place::{Place, from_blocks, to_blocks};
pub use simd::{InstructionSet, LANES};
pub use sink::{Arrival, Moments, Pull, Sink, Store, Sums};
pub use view::{Map, View};
