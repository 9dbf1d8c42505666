//! LeNet and its relatives: the networks that read digits.
//!
//! Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner: *Gradient-Based Learning Applied to Document Recognition*,
//! Proceedings of the IEEE 86(11), 1998, <http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf>.
//!
//! | function | input | what it is |
//! | --- | --- | --- |
//! | [`lenet_paper`] | 1×32×32 | the paper's LeNet-5: squashing tanh, trained subsampling, sparse C3, radial basis output |
//! | [`lenet`] | 1×32×32 | the same layers as tutorials write them: ReLU, max pool, dense C3, linear output |
//! | [`lenet_d2l`] | 1×28×28 | the book's: padding 2, sigmoid, average or max pool |
//! | [`lenet_linear`] | 1×28×28 | no activation at all: what pooling alone can do |
//! | [`mnist_conv`] | 1×28×28 | two convolutions and one linear layer |
//! | [`mnist_mlp`] | 1×28×28 | the fully connected network that convolution replaces |
//!
//! ```
//! use cnn_lenet::{cnn_core, lenet};
//!
//! let net = lenet(10).at([1, 32, 32])?;
//! assert_eq!(net.summary().parameters, 61_706);
//! # Ok::<(), cnn_core::Error>(())
//! ```
//!
//! # Departures
//!
//! The paper's output units compare F6 with bitmaps of the characters and give distances, the smaller the better; ours
//! give the same distances with the sign turned, so that the largest wins as everywhere else. The bitmaps here are drawn
//! for this crate in the paper's format of 7×12 cells; for other than ten classes the codes are random signs, which the
//! paper names as an alternative. Its subsampling coefficients begin at 1/4, which makes S2 and S4 start as means, and C3 is initialised by the mean
//! number of connections a map has, where the paper takes each map's own. The
//! book's network and the tutorials' see all six maps everywhere in C3, have no coefficients in the pools and end in a
//! linear layer.

mod book;
mod codes;
mod linear;
mod mnist;
mod paper;
mod tutorial;

pub use book::{Pool, lenet_d2l};
pub use cnn_core;
pub use linear::lenet_linear;
pub use mnist::{mnist_conv, mnist_mlp};
pub use paper::lenet_paper;
pub use tutorial::lenet;

use cnn_core::definition::Catalogue;

/// Every network of this crate: its name, the number of classes its source uses, and its definition.
pub const NETWORKS: Catalogue = &[
    ("lenet", 10, lenet),
    ("lenet_paper", 10, lenet_paper),
    ("lenet_d2l", 10, |classes| lenet_d2l(Pool::Average, classes)),
    ("lenet_d2l_max", 10, |classes| lenet_d2l(Pool::Max, classes)),
    ("lenet_linear", 10, lenet_linear),
    ("mnist_conv", 10, mnist_conv),
    ("mnist_mlp", 10, mnist_mlp),
];
