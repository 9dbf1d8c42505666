//! GoogLeNet and the Inceptions after it, each as its paper's table.
//!
//! | network | source |
//! | --- | --- |
//! | [`googlenet`], [`googlenet_paper`], [`googlenet_naive`] | Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich, *Going Deeper with Convolutions*, 2015, <https://arxiv.org/abs/1409.4842> |
//! | [`bn_inception`] | Ioffe and Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, 2015, <https://arxiv.org/abs/1502.03167> |
//! | [`inception_v3`] | Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, *Rethinking the Inception Architecture for Computer Vision*, 2016, <https://arxiv.org/abs/1512.00567> |
//! | [`inception_v4`], [`inception_resnet_v1`], [`inception_resnet_v2`] | Szegedy, Ioffe, Vanhoucke and Alemi, *Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning*, 2017, <https://arxiv.org/abs/1602.07261> |
//! | [`googlenet_d2l`] | Zhang, Lipton, Li and Smola, *Dive into Deep Learning*, 2023, section 8.4, <https://d2l.ai/chapter_convolutional-modern/googlenet.html> |
//! | [`mnist_inception`] | Sung Kim, *PyTorch Zero To All*, 2017, lesson 11: two Inception blocks for MNIST, <https://github.com/hunkim/PyTorchZeroToAll> |
//!
//! Where paper, book and published code differ, a module's *Departures* say which one is followed.
//!
//! ```
//! use cnn_googlenet::googlenet;
//!
//! let net = googlenet(1000).at([3, 224, 224])?;
//! let summary = net.summary();
//! assert_eq!(summary.parameters, 13_004_888);
//! assert_eq!(summary.parameters_without_heads, 6_624_904);
//! # Ok::<(), cnn_googlenet::cnn_core::Error>(())
//! ```

mod bn_inception;
mod ends;
mod googlenet;
mod googlenet_d2l;
mod inception_resnet;
mod inception_v3;
mod inception_v4;
mod mnist_inception;
mod papers;
pub mod table;

pub use bn_inception::bn_inception;
pub use cnn_core;
pub use ends::transform_input;
pub use googlenet::{googlenet, googlenet_naive, googlenet_paper, googlenet_transformed};
pub use googlenet_d2l::googlenet_d2l;
pub use inception_resnet::{inception_resnet_v1, inception_resnet_v2};
pub use inception_v3::{inception_v3, inception_v3_transformed};
pub use inception_v4::inception_v4;
pub use mnist_inception::mnist_inception;

use cnn_core::definition::{Catalogue, Listing, Paper};
use cnn_core::initialisation::{Law, Scheme};
use papers::{BATCH_NORMALISATION, GOOGLENET, INCEPTION_V3, INCEPTION_V4, ZERO_TO_ALL};

/// Every network of this crate, and where it is from.
pub const NETWORKS: Catalogue = &[
    Listing::new(&GOOGLENET, 1000, googlenet)
        .note("torchvision's: batch normalisation, 3×3 for the 5×5")
        .transformed(googlenet_transformed),
    Listing::new(&GOOGLENET, 1000, googlenet_paper)
        .note("table 1; normalisation and initialisation, which it leaves open, from others"),
    Listing::new(&GOOGLENET, 1000, googlenet_naive).note("table 1 with the naive block of figure 2a"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, googlenet_d2l).note("section 8.4, after Szegedy et al. 2015"),
    Listing::new(&BATCH_NORMALISATION, 1000, bn_inception).note("figure 5, with the changes of the Caffe port"),
    Listing::new(&INCEPTION_V3, 1000, inception_v3)
        .note("torchvision's, after the network its authors published")
        .transformed(inception_v3_transformed),
    Listing::new(&INCEPTION_V4, 1000, inception_v4).note("figure 9, as timm has it"),
    Listing::new(&INCEPTION_V4, 1000, inception_resnet_v1).note("figures 10 to 15"),
    Listing::new(&INCEPTION_V4, 1000, inception_resnet_v2).note("timm's, after the network its authors published"),
    Listing::new(&ZERO_TO_ALL, 10, mnist_inception).note("lesson 11"),
];

/// This law for all weights, torch's default for the biases: how torchvision begins the Inceptions.
fn weights(law: Law) -> Scheme {
    Scheme::TORCH.conv(law).linear(law)
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
