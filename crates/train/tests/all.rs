//! The tests that need no process of their own, as one program: to link many takes longer than to run them.

mod divergence;
#[cfg(feature = "candle")]
mod gathering;
mod instructions;
mod own_parts;
mod probabilities;
mod ranks;
mod torch_ranks;
