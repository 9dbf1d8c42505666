//! Convolutional networks as values: no tensor, no device, no file.
//!
//! ```text
//! definition            elaboration           readings, each a function of &Network
//! Architecture   →   .at([3, 224, 224])?  →   Summary  shapes, parameters, MACs, receptive field, memory
//!                                             Outline  stages and branches, for tables and pictures
//!                                             oracle   naive f64, what everything else is held against
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
pub mod svg;
pub mod tensors;

pub use definition::Architecture;
pub use dropout::dropout_mask;
pub use error::{Error, Result};
pub use network::Network;
pub use op::Op;
pub use shape::Shape;
pub use summary::Summary;
