//! The tests that need no process of their own, as one program: to link many takes longer than to run them.

mod biases;
mod common;
mod gradients;
mod hostile;
mod inference;
mod instructions;
mod int8;
mod memory;
mod runs;
mod training_bf16;
mod worked_example;
