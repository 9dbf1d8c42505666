//! Inference on numbers of 16 and of 8 bits: maps and weights take a half or a quarter of the memory, and an instruction
//! multiplies twice or four times as many of them.
//!
//! Maps lie as those of `f32` do, and a [`Region`](crate::Region) says where, whatever the numbers: [`bf16`] or `u8`. A
//! kernel reads a [`Source`], and what it computes goes, as `f32`, through a [`Finish`] to a [`Target`]: scale and bias of
//! each channel, a second map added, a floor, and rounding. [`Weights`] are packed once, and the windows of a [`Pool`] found
//! once. No call allocates: what it needs is known before.

mod ends;
mod finish;
mod format;
mod instances;
pub mod pictures;
pub(crate) mod pool;
mod quantisation;
pub(crate) mod transfer;

pub use crate::conv::narrow::Weights;
pub(crate) use ends::Parts;
pub use ends::{Addend, Finish, ReadMap, Source, Target};
pub(crate) use finish::{Apply, Outlet, Values, open};
pub use format::{Format, Stored, bf16_available, int8_unit};
pub use half::bf16;
pub use pool::Pool;
pub use quantisation::{Quantisation, Requantisation, quantise_weights, requantise};
pub(crate) use transfer::Reader;
pub use transfer::{Origin, transfer};
