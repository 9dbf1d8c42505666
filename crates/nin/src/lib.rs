//! Network in Network: 1×1 convolutions as a small network at every pixel, and class scores by averaging whole maps.
//!
//! | function | source |
//! | --- | --- |
//! | [`nin_cifar`] | M. Lin, Q. Chen, S. Yan: *Network In Network*, 2013, <https://arxiv.org/abs/1312.4400>; its network for CIFAR-10 |
//! | [`nin`] | the same authors' network for ImageNet, as the Caffe model zoo has it, <https://gist.github.com/mavenlin/d802a5849de39225bcc6> |
//! | [`nin_d2l`], [`nin_one_1x1_d2l`] | A. Zhang, Z. C. Lipton, M. Li, A. J. Smola: *Dive into Deep Learning*, 2023, section 8.3 and its exercise, <https://d2l.ai/chapter_convolutional-modern/nin.html> |
//!
//! The block they are made of is [`mlpconv`].
//!
//! ```
//! use cnn_nin::nin_d2l;
//!
//! let network = nin_d2l(10).at_usual_input()?;
//! assert_eq!(network.summary().parameters, 1_992_166);
//! # Ok::<(), cnn_nin::cnn_core::Error>(())
//! ```
//!
//! # Departures
//!
//! - The paper prints neither the widths of its layers nor an ImageNet network: the numbers of [`nin_cifar`] and of
//!   [`nin`] are those of the authors' published configurations, whose pools take in a last window that hangs over the
//!   edge. Both end in an average over windows as large as the map; here it is the whole map, of any size.
//! - The paper has a max pool behind every block for CIFAR-10; the configuration has an average pool behind the second.
//! - The book follows the ImageNet network, but gives the last block as many channels as classes throughout, where the
//!   authors have 1024, 1024 and one a class, and its pools drop a window that does not fit.
//! - The paper puts dropout behind every block but the last for CIFAR-10. The ImageNet networks of authors and book
//!   have it only before the last block.
//! - The names are the book's `Sequential` indices for all of them: `2.4.weight` is the second 1×1 convolution of the
//!   second block.

mod mlpconv;
mod network;
mod papers;

pub use cnn_core;
pub use mlpconv::mlpconv;
pub use network::{nin, nin_cifar, nin_d2l, nin_one_1x1_d2l};

use cnn_core::definition::{Catalogue, Listing, Paper};
use papers::NIN;

/// Every network of this crate, and where it is from.
pub const NETWORKS: Catalogue = &[
    Listing::new(&NIN, 1000, nin).note("the authors' network for ImageNet, from the Caffe model zoo"),
    Listing::new(&NIN, 10, nin_cifar).note("figure 2, with the widths of the authors' configuration"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, nin_d2l).note("section 8.3, after Lin et al. 2013"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, nin_one_1x1_d2l)
        .note("section 8.3, the exercise that removes a 1×1 convolution"),
];

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
