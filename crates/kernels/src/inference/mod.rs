//! A network's forward pass as one program: steps over one arena, in one parallel region.
//!
//! The other kernels of this crate take a call each. Here all steps of a network are known before the first image comes.
//! So weights are packed once, a convolution adds its bias, a residual sum and a ReLU before a result leaves the
//! registers, and the threads stay together from the first step to the last: a thread that finds no more tasks of a step
//! waits for the others' last tasks and goes on.
//!
//! A [`Program`] holds steps and packed weights and is never changed. What a run needs is in a [`Workspace`]. Each step
//! is cut into tasks; which thread takes which task is chance, what a task computes is not, and no sum is divided between
//! tasks. So results have the same bits for any number of threads, and for an image alone or in a batch.
//!
//! Steps compute in `f32`, `bf16` or 8 bits, side by side in one arena. The layout is that of [`Region`](crate::Region):
//! channels in blocks of sixteen.

mod algorithm;
mod arena;
mod choice;
mod direct;
mod epilogue;
mod frame;
mod input;
mod linear;
mod micro;
mod moves;
mod narrow;
mod number;
mod packed;
mod packing;
mod pool;
mod program;
mod refused;
mod run;
mod step;
mod winograd;

pub use algorithm::{ConvAlgorithm, Filters};
pub use arena::Place;
pub use choice::{Choice, Products, cost};
pub use input::{Affine, Input};
pub(crate) use narrow::{Call, run as run_narrow};
pub use narrow::{Narrow, NarrowStep, NarrowWork};
pub use number::Number;
pub use packed::{Numbers, Packed};
pub use packing::LinearPacking;
pub use program::{Builder, Program, Tensors, gathered_len, takes_images};
pub use refused::Refused;
#[doc(hidden)]
pub use run::Memory;
pub use run::Workspace;
pub use step::{Convolution, Custom, CustomRun, Finish, LinearLayer, Step};
pub use winograd::transformed_len;
