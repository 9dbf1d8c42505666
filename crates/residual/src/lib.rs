//! The units of residual networks, as functions that return a chain.
//!
//! - K. He, X. Zhang, S. Ren, J. Sun: *Deep Residual Learning for Image Recognition*, 2015,
//!   <https://arxiv.org/abs/1512.03385>: [`basic`], [`bottleneck`], every [`Shortcut`].
//! - K. He, X. Zhang, S. Ren, J. Sun: *Identity Mappings in Deep Residual Networks*, 2016,
//!   <https://arxiv.org/abs/1603.05027>: [`preact_basic`], [`preact_bottleneck`].
//! - S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He: *Aggregated Residual Transformations for Deep Neural Networks*, 2017,
//!   <https://arxiv.org/abs/1611.05431>: the groups of [`Bottleneck`].
//! - S. Zagoruyko, N. Komodakis: *Wide Residual Networks*, 2016, <https://arxiv.org/abs/1605.07146>: the widening of
//!   [`Bottleneck`].
//! - A. Zhang, Z. C. Lipton, M. Li, A. J. Smola: *Dive into Deep Learning*, 2023, section 8.6,
//!   <https://d2l.ai/chapter_convolutional-modern/resnet.html>: [`basic_d2l`].
//!
//! A [`stage`] repeats a unit and tells each repetition its [`UnitPosition`]:
//!
//! ```
//! use cnn_residual::cnn_core::definition::*;
//! use cnn_residual::{Shortcut, Stage, basic, stage};
//!
//! let halving = Stage { width: 16, units: 3, stride: 2 };
//! let network = chain()
//!     .then("layer2", stage(halving, |at| basic(at, at.identity_or(Shortcut::Zeros))))
//!     .named("one stage", [8, 32, 32])
//!     .at_usual_input()?;
//! assert_eq!(network.node(network.find("layer2")?).shape.dims(), [16, 16, 16]);
//! # Ok::<(), cnn_residual::cnn_core::Error>(())
//! ```
//!
//! # Departures
//!
//! - Labels are torchvision's; those of the pre-activation units, which torchvision lacks, are a parameter.
//! - The stride of a bottleneck is torchvision's on the 3×3 convolution or the paper's on the first 1×1: [`Strided`].

mod basic;
mod bottleneck;
mod preact;
mod shortcut;
mod stage;
mod unnormalised;

pub use basic::{basic, basic_d2l};
pub use bottleneck::{Bottleneck, Strided, bottleneck};
pub use cnn_core;
pub use preact::{Names, preact_basic, preact_bottleneck};
pub use shortcut::Shortcut;
pub use stage::{Stage, UnitPosition, stage};
pub use unnormalised::unnormalised;

/// Channels behind a bottleneck for one of its stage's width (He et al. 2015, table 1).
const EXPANSION: usize = 4;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
