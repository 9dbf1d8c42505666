//! The parts of densely connected networks, as functions that return a chain.
//!
//! - G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger: *Densely Connected Convolutional Networks*, 2017,
//!   <https://arxiv.org/abs/1608.06993>, section 3: [`layer`], [`bottleneck_layer`], [`dense_block`], [`transition`].
//! - A. Zhang, Z. C. Lipton, M. Li, A. J. Smola: *Dive into Deep Learning*, 2023, section 8.7,
//!   <https://d2l.ai/chapter_convolutional-modern/densenet.html>: [`dense_block_d2l`], [`transition_d2l`].
//!
//! Each layer of a block reads the channels of all before it and adds `growth` channels of its own:
//!
//! ```
//! use cnn_dense::cnn_core::definition::*;
//! use cnn_dense::{dense_block_d2l, transition_d2l};
//!
//! let network = chain()
//!     .then("block", dense_block_d2l(2, 10))
//!     .then("transition", transition_d2l(10))
//!     .named("section 8.7", [3, 8, 8])
//!     .at_usual_input()?;
//! assert_eq!(network.node(network.find("block")?).shape.dims(), [23, 8, 8]);
//! assert_eq!(network.node(network.find("transition")?).shape.dims(), [10, 4, 4]);
//! # Ok::<(), cnn_dense::cnn_core::Error>(())
//! ```
//!
//! # Departures
//!
//! - Labels are torchvision's. As there, a layer's path (`denselayer3`) is its own channels; the concatenations stand in
//!   the block's path, and the last of them is the block's output.
//! - The paper's dropout of 0.2, for data without augmentation, is left out, as in torchvision.
//! - The book's convolutions have biases; its layers have no bottleneck.

mod block;
mod layer;
mod transition;

pub use block::{dense_block, dense_block_d2l};
pub use cnn_core;
pub use layer::{bottleneck_layer, layer};
pub use transition::{transition, transition_d2l};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
