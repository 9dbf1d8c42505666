//! Ranks: the processes, threads or GPUs that share one training run.
//!
//! A [`Link`] connects a rank to the others. It swaps bytes with one peer and tells of failures; nothing else differs
//! between threads, MPI and NCCL. [`Ranks`] sums, broadcasts and gathers over any link.
//!
//! A global batch is cut into shards whose number is fixed, and [`Tree`] adds the shards of one rank. [`Ranks::sum`] goes
//! on with the same tree over the ranks. Every sum is then computed in one order, however many ranks there are, and
//! its bits are the same.

mod agreement;
mod error;
mod gather;
mod link;
#[cfg(feature = "mpi")]
mod message_passing;
#[cfg(feature = "nccl")]
mod nccl;
mod place;
mod ranks;
mod sum;
mod threads;
pub mod time;
mod tree;
mod wire;

pub use error::{Error, Result};
pub use link::Link;
#[cfg(feature = "mpi")]
pub use message_passing::MpiLink;
#[cfg(feature = "nccl")]
pub use nccl::NcclLink;
pub use place::{Launcher, Place};
pub use ranks::{Pending, Ranks};
pub use threads::ThreadLink;
pub use tree::{Summand, Tree, shards_of};
pub use wire::Wire;
