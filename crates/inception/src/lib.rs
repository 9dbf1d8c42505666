//! The Inception blocks, each a function from its row of the paper's table to a piece of a network.
//!
//! | module | blocks | source |
//! | --- | --- | --- |
//! | [`naive`] | without reductions, to show what they save | Szegedy et al. 2015, figure 2a |
//! | [`four_branch`] | GoogLeNet's: the paper's, and torchvision's with batch normalisation | figure 2b |
//! | [`book`] | the paper's under the book's names | *Dive into Deep Learning*, section 8.4 |
//! | [`bn_inception`] | two 3×3 for the 5×5, and the stride inside the block | Ioffe and Szegedy 2015, figure 5 |
//! | [`v3`] | A to E, and the auxiliary head | Szegedy et al. 2016, figures 5 to 8 and 10 |
//! | [`v4`] | stem, A, B, C and both reductions | Szegedy et al. 2017, figures 3 to 9 |
//! | [`residual`] | A, B, C of Inception-ResNet v1 and v2, and their second reduction | figures 10 to 13, 16 to 20 |
//! | [`mnist`] | 88 channels and no activation | Sung Kim: *PyTorch Zero To All*, lesson 11 |
//!
//! A block knows no input channels and no image size; both are inferred where it stands.
//!
//! ```
//! use cnn_core::definition::chain;
//! use cnn_inception::Widths;
//! use cnn_inception::four_branch::inception;
//!
//! let row_3a = Widths { one: 64, three: [96, 128], five: [16, 32], pool: 32 };
//! let block = chain().then("inception3a", inception(row_3a)).named("block", [192, 28, 28]).at_usual_input()?;
//! assert_eq!(block.node(block.find("inception3a")?).shape.dims(), [256, 28, 28]);
//! # Ok::<(), cnn_core::Error>(())
//! ```

pub mod bn_inception;
pub mod book;
pub mod four_branch;
pub mod mnist;
pub mod naive;
pub mod residual;
mod unit;
pub mod v3;
pub mod v4;
mod widths;

pub use unit::{conv_bn, conv_relu};
pub use widths::Widths;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
