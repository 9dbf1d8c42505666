//! Convolutional networks as values over candle.
//!
//! ```text
//! definition            elaboration           readings, each a function of &Network
//! Architecture   →   .at([3, 224, 224])?  →   Summary  shapes, parameters, MACs, receptive field, memory
//!                                             Model    candle: VarBuilder in, Module and ModuleT out
//!                                             Outline  stages and branches, for tables and pictures
//!                                             oracle   naive f64, what everything else is held against
//! ```
//!
//! Read in this order: [`definition`] (how a network is written), [`Architecture::at`] (how it gets its shapes and
//! names), [`Network`] (what all readings read), then any reading.

mod bytes;
mod cancelled;
pub mod definition;
pub mod device;
mod diagram;
mod elaborate;
pub mod error;
pub mod file;
pub mod guard;
pub mod initialisation;
mod lend;
pub mod memory;
pub mod model;
pub mod network;
pub mod op;
pub mod oracle;
pub mod outline;
pub mod seed;
pub mod shape;
mod shape_rule;
pub mod summary;
pub mod svg;
pub mod tensors;

pub use bytes::Bytes;
pub use definition::Architecture;
pub use error::{Error, Result};
pub use lend::lend;
pub use model::Model;
pub use network::Network;
pub use op::Op;
pub use shape::Shape;
pub use summary::Summary;

pub use candle_core;
pub use candle_nn;
