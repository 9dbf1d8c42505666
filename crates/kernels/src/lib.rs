//! Convolution, pooling, normalisation and their gradients on the CPU, over slices.
//!
//! The kernels know neither candle nor networks. Feature maps lie in blocks of sixteen channels ([`Region`]), are read
//! through [`View`]s and written through [`Sink`]s, so that what stands between two convolutions needs no pass over memory
//! of its own. Every kernel is written once for vectors of sixteen numbers and compiled for each [`InstructionSet`]; the
//! others are checked against the portable one. Results do not depend on the number of [`threads`].
//!
//! A convolution that sums up windows of 3x3 pixels, with zeros around the map:
//!
//! ```
//! use cnn_kernels::{Buffer, Conv, InstructionSet, Region, Sink, View, from_blocks, to_blocks};
//!
//! let conv = Conv {
//!     in_channels: 1,
//!     out_channels: 1,
//!     groups: 1,
//!     kernel: [3, 3],
//!     stride: [1, 1],
//!     padding: [1, 1],
//!     dilation: [1, 1],
//! };
//! // One image of one channel, three rows and three columns.
//! let region = Region::new(1, 1, [3, 3]);
//! let mut input = Buffer::<f32>::zeros(region.len());
//! to_blocks(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], &mut input, &region);
//!
//! let mut output = Buffer::zeros(region.len());
//! let (view, sink) = (View::plain(&input, region), Sink::store(&mut output, region));
//! conv.forward(InstructionSet::chosen(), &view, &[1.0; 9], sink);
//!
//! let mut maps = [0.0; 9];
//! from_blocks(&output, &region, &mut maps);
//! assert_eq!(maps, [12.0, 21.0, 16.0, 27.0, 45.0, 33.0, 24.0, 39.0, 28.0]);
//! ```
//!
//! All `unsafe` code of the workspace is in this crate.

pub mod activation;
mod buffer;
pub mod conv;
pub mod copy;
mod element;
pub mod elementwise;
pub mod flatten;
pub mod inference;
mod instances;
mod instancing;
pub mod linear;
pub mod loss;
pub mod lrn;
pub mod mapped;
pub mod moments;
pub mod narrow;
mod optimiser;
#[doc(hidden)]
pub mod peak;
mod pieces;
pub mod pool;
mod prefetch;
mod region;
pub mod rule;
mod scratch;
mod shares;
mod simd;
mod sink;
mod tanh;
pub mod threads;
mod transpose;
pub mod update;
mod view;

pub use buffer::{Buffer, Plain};
pub use conv::{Algorithm, Conv};
pub use element::Element;
pub use linear::Linear;
pub use lrn::Lrn;
pub use region::{Region, from_blocks, to_blocks};
pub use simd::{InstructionSet, LANES};
#[doc(hidden)]
pub use sink::PAST;
pub use sink::{Arrival, Moments, Pull, Sink, Store, Sums};
pub use view::{Map, View};
