//! Convolutional networks over candle, and without it.
//!
//! ```text
//! definition            elaboration           readings, each a function of &Network
//! Architecture   →   .at([3, 224, 224])?  →   Summary    shapes, parameters, MACs, receptive field, memory
//!                                             Predictor  the CPU, from weights: images in, logits out
//!                                             Model      candle: VarBuilder in, Module and ModuleT out
//!                                             Outline    stages and branches, for tables and pictures
//!                                             oracle     naive f64, what everything else is compared with
//! ```
//!
//! The value and its readings are `cnn-network`'s, [`Weights`] `cnn-weights`', the CPU's plans `cnn-plan`'s; all of it is
//! here under one name. What this crate adds is candle's [`Model`], and [`device`] selection. The feature `candle`, on by
//! default, brings candle; without it a program that predicts or trains on the CPU has no candle in it.
//!
//! ```
//! use cnn_core::definition::{chain, conv, linear};
//! use cnn_core::{Predictor, Weights};
//!
//! let net = chain()
//!     .then("conv", conv(3).out(8).pad(1))
//!     .relu()
//!     .global_avg_pool()
//!     .then("fc", linear(10))
//!     .named("tiny", [3, 32, 32])
//!     .at_usual_input()?;
//! println!("{}", net.summary());
//! let predictor = Predictor::new(&net, &Weights::initialised(&net, 7))?;
//! assert_eq!(predictor.logits(&[0.5; 3 * 32 * 32])?.len(), 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A workspace does not inherit the profile of its dependencies, and unoptimised the kernels are about sixty times slower.
//! So put this into the `Cargo.toml` of yours; your own code stays a debug build.
//!
//! ```toml
//! [profile.dev.package.cnn-kernels]
//! opt-level = 3
//! [profile.dev.package.cnn-plan]
//! opt-level = 3
//! ```

pub mod device;
#[cfg(feature = "candle")]
mod lend;
#[cfg(feature = "candle")]
pub mod model;
mod model_error;

pub use cnn_network::*;
pub use cnn_plan as plan;
pub use cnn_plan::{Calibration, Calibrator, InferenceOptions, InferencePlan, Numeric, Predictor};
pub use cnn_system::{Bytes, file, guard, memory, whole};
pub use cnn_weights as weights;
pub use cnn_weights::Weights;

#[cfg(feature = "candle")]
pub use {candle_core, candle_nn, lend::lend, model::Model};

pub use model_error::ModelError;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
