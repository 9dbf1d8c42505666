//! Ranks: the processes, threads or GPUs that share one training run.
//!
//! A [`Link`] connects a rank to the others. It swaps bytes with one peer and tells of failures; nothing else differs
//! between threads, MPI and NCCL. [`Ranks`] sums, broadcasts and gathers over any link.
//!
//! A global batch is cut into shards whose number is fixed, and [`Tree`] adds the shards of one rank. [`Ranks::sum`] goes
//! on with the same tree over the ranks. Every sum is then computed in one order, however many ranks there are, and
//! its bits are the same.
//!
//! ```
//! use cnn_distributed::{Ranks, Tree, Wire};
//!
//! let shards = [0.1_f32, 0.2, 0.3, 0.4];
//! let sum_on = |world: usize| -> Result<Vec<f32>, cnn_distributed::Error> {
//!     let own = |ranks: Ranks| {
//!         let mut tree = Tree::new(Wire::F32);
//!         let each = shards.len() / ranks.world();
//!         shards[each * ranks.rank()..][..each].iter().for_each(|shard| tree.add(vec![*shard]));
//!         let mut sum = tree.finish();
//!         ranks.sum(&mut sum, Wire::F32)?;
//!         ranks.finish()?;
//!         Ok(sum)
//!     };
//!     let ranks = Ranks::threads(world)?;
//!     std::thread::scope(|scope| {
//!         let sums: Vec<_> = ranks.into_iter().map(|ranks| scope.spawn(move || own(ranks))).collect();
//!         sums.into_iter().map(|sum| sum.join().unwrap()).next_back().unwrap()
//!     })
//! };
//! assert_eq!(sum_on(1)?, sum_on(4)?); // to the last bit
//! # Ok::<(), cnn_distributed::Error>(())
//! ```

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
