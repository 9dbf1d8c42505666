//! LeNet and its relatives: the networks that read digits.
//!
//! | function | input | what it is | source |
//! | --- | --- | --- | --- |
//! | [`lenet_paper`] | 1×32×32 | LeNet-5: squashing tanh, trained subsampling, sparse C3, radial basis output | Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: *Gradient-Based Learning Applied to Document Recognition*, 1998, <http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf> |
//! | [`lenet`] | 1×32×32 | the same layers with ReLU, max pools, a dense C3 and a linear output | the same paper, as tutorials write it |
//! | [`lenet_d2l`] | 1×28×28 | padding 2, sigmoid, average or max pool | A. Zhang, Z. C. Lipton, M. Li, A. J. Smola: *Dive into Deep Learning*, 2023, section 7.6, <https://d2l.ai/chapter_convolutional-neural-networks/lenet.html> |
//! | [`lenet_linear`] | 1×28×28 | no activation at all: what pooling alone can do | *LeNet without activations*, teaching code that names no author |
//! | [`mnist_conv`] | 1×28×28 | two convolutions and one linear layer | Sung Kim: *PyTorch Zero To All*, 2017, lesson 10, <https://github.com/hunkim/PyTorchZeroToAll> |
//! | [`mnist_mlp`] | 1×28×28 | the fully connected network that convolution replaces | M. A. Nielsen: *Neural Networks and Deep Learning*, 2015, chapter 1, <http://neuralnetworksanddeeplearning.com> |
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
//! The paper's output units compare F6 with bitmaps of the characters and give distances, the smaller the better. Here
//! they give the same distances with the opposite sign, so that the largest wins as everywhere else. The bitmaps are drawn
//! for this crate in the paper's format of 7×12 cells. For other than ten classes the codes are random signs, which the
//! paper names as an alternative. The subsampling coefficients begin at 1/4, so that S2 and S4 start as means. C3 is
//! initialised by the mean number of connections of a map, where the paper takes each map's own. In the book's network
//! and the tutorials', C3 sees all six maps everywhere, the pools have no coefficients, and the output is a linear layer.

mod book;
mod codes;
mod linear;
mod mnist;
mod paper;
mod papers;
mod tutorial;

pub use book::{Pool, lenet_d2l};
pub use cnn_core;
pub use linear::lenet_linear;
pub use mnist::{mnist_conv, mnist_mlp};
pub use paper::lenet_paper;
pub use tutorial::lenet;

use cnn_core::definition::{Catalogue, Listing, Paper};
use papers::{LENET, NIELSEN, TEACHING_CODE, ZERO_TO_ALL};

/// Every network of this crate, and where it is from.
pub const NETWORKS: Catalogue = &[
    Listing::new(&LENET, 10, lenet).note("as tutorials write it: ReLU, max pools, a dense C3, a linear output"),
    Listing::new(&LENET, 10, lenet_paper).note("figure 2 and section II.B"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, |classes| lenet_d2l(Pool::Average, classes))
        .note("section 7.6, after LeCun et al. 1998"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, |classes| lenet_d2l(Pool::Max, classes))
        .note("section 7.6, the exercise with max pools"),
    Listing::new(&TEACHING_CODE, 10, lenet_linear).note("the layers of LeNet"),
    Listing::new(&ZERO_TO_ALL, 10, mnist_conv).note("lesson 10"),
    Listing::new(&NIELSEN, 10, mnist_mlp).note("chapter 1"),
];

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
