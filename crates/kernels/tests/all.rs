//! The tests that need no process of their own, as one program: to link many takes longer than to run them.

#[macro_use]
mod common;

mod bf16;
mod convolution;
mod dense;
mod elementwise;
mod guard_pages;
mod misuse;
mod moments;
mod narrow;
mod narrow_guard;
mod narrow_maps;
mod past_the_caches;
mod pools;
mod program_guard;
mod tails;
mod winograd;
