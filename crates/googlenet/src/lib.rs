//! GoogLeNet and the Inceptions after it, each as its paper's table.
//!
//! | network | source |
//! | --- | --- |
//! | [`googlenet`], [`googlenet_paper`], [`googlenet_naive`], [`googlenet_d2l`] | Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich, *Going Deeper with Convolutions*, 2015, <https://arxiv.org/abs/1409.4842> |
//! | [`bn_inception`] | Ioffe and Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, 2015, <https://arxiv.org/abs/1502.03167> |
//! | [`inception_v3`] | Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, *Rethinking the Inception Architecture for Computer Vision*, 2016, <https://arxiv.org/abs/1512.00567> |
//! | [`inception_v4`], [`inception_resnet_v1`], [`inception_resnet_v2`] | Szegedy, Ioffe, Vanhoucke and Alemi, *Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning*, 2017, <https://arxiv.org/abs/1602.07261> |
//! | [`mnist_inception`] | the tutorials' two Inception blocks for MNIST |
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

use cnn_core::definition::Catalogue;
use cnn_core::initialisation::{Law, Scheme};

/// Every network of this crate. The two with [`transform_input`] in front are not listed: they have the tensors and
/// the cost of the networks without it.
pub const NETWORKS: Catalogue = &[
    ("googlenet", 1000, googlenet),
    ("googlenet_paper", 1000, googlenet_paper),
    ("googlenet_naive", 1000, googlenet_naive),
    ("googlenet_d2l", 10, googlenet_d2l),
    ("bn_inception", 1000, bn_inception),
    ("inception_v3", 1000, inception_v3),
    ("inception_v4", 1000, inception_v4),
    ("inception_resnet_v1", 1000, inception_resnet_v1),
    ("inception_resnet_v2", 1000, inception_resnet_v2),
    ("mnist_inception", 10, mnist_inception),
];

/// This law for all weights, torch's default for the biases: how torchvision begins the Inceptions.
fn weights(law: Law) -> Scheme {
    Scheme::TORCH.conv(law).linear(law)
}
