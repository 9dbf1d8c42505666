//! The tests that need no process of their own, as one program: to link many takes longer than to run them.

mod check;
mod classic;
mod digits;
mod folder;
#[cfg(feature = "hub")]
mod hub;
mod judged;
mod load;
mod loader;
mod mutations;
mod own;
mod pictures;
mod preprocessing;
