//! Convolutional networks as values: no tensor, no device, no file.
//!
//! ```text
//! definition            elaboration           readings, each a function of &Network
//! Architecture   →   .at([3, 224, 224])?  →   Summary  shapes, parameters, MACs, receptive field, memory
//!                                             Outline  stages and branches, for tables and pictures
//!                                             oracle   naive f64, what everything else is compared with
//! ```
//!
//! ```
//! use cnn_network::definition::*;
//! use cnn_network::oracle::{self, Batch, Weights};
//!
//! let architecture = chain()
//!     .then("conv", conv(3).out(8).pad(1).no_bias())
//!     .then("bn", batch_norm())
//!     .relu()
//!     .global_avg_pool()
//!     .then("fc", linear(10))
//!     .named("small", [3, 32, 32]);
//! let network = architecture.at([3, 20, 28])?;
//! assert_eq!(network.node_at("conv")?.shape.dims(), [8, 20, 28]);
//! let summary = network.summary();
//! assert_eq!((summary.parameters, summary.macs), (216 + 16 + 90, 20 * 28 * 216 + 80));
//!
//! // Its weights before training, from a seed, and what the oracle computes from them.
//! let values = |tensor: &cnn_network::tensors::TensorSpec| -> Vec<f64> {
//!     tensor.init.draw(7, &tensor.name, tensor.elements()).into_iter().map(f64::from).collect()
//! };
//! let weights: Weights = network.tensors().map(|tensor| (tensor.name.clone(), values(tensor))).collect();
//! let image = Batch { shape: network.input(), values: vec![0.5; network.input().elements()] };
//! assert_eq!(oracle::forward(&network, &weights, &image)?.values.len(), 10);
//! # Ok::<(), cnn_network::Error>(())
//! ```
//!
//! Read in this order: [`definition`] (how a network is written), [`Architecture::at`] (how it gets its shapes and
//! names), [`Network`] (what all readings read), then any reading.

mod cancelled;
pub mod definition;
mod describe;
mod diagram;
mod dropout;
mod elaborate;
pub mod error;
pub mod initialisation;
pub mod network;
mod numbers;
pub mod op;
pub mod oracle;
pub mod outline;
pub mod seed;
pub mod shape;
mod shape_rule;
mod size;
pub mod summary;
pub mod tensors;

pub use definition::Architecture;
pub use dropout::dropout_mask;
pub use error::{Error, Result};
pub use network::Network;
pub use op::Op;
pub use shape::Shape;
pub use summary::Summary;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
