//! ResNet: layers that learn what to add to their input, and its wider, grouped, pre-activation and plain relatives.
//!
//! - K. He, X. Zhang, S. Ren, J. Sun: *Deep Residual Learning for Image Recognition*, 2015,
//!   <https://arxiv.org/abs/1512.03385>: table 1 as [`resnet`] and [`resnet_v1`], its plain networks as [`plain`],
//!   section 4.2 as [`resnet_cifar`] and [`plain_cifar`].
//! - K. He, X. Zhang, S. Ren, J. Sun: *Identity Mappings in Deep Residual Networks*, 2016,
//!   <https://arxiv.org/abs/1603.05027>: [`resnet_preact`], [`resnet_preact_cifar`].
//! - S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He: *Aggregated Residual Transformations for Deep Neural Networks*, 2017,
//!   <https://arxiv.org/abs/1611.05431>: [`resnext`].
//! - S. Zagoruyko, N. Komodakis: *Wide Residual Networks*, 2016, <https://arxiv.org/abs/1605.07146>:
//!   [`wide_resnet`].
//! - A. Zhang, Z. C. Lipton, M. Li, A. J. Smola: *Dive into Deep Learning*, 2023, section 8.6,
//!   <https://d2l.ai/chapter_convolutional-modern/resnet.html>: [`resnet18_d2l`].
//! - [`mnist_residual`], a tutorial's network of two residual units for MNIST.
//!
//! ```
//! use cnn_resnet::{Depth, resnet};
//!
//! let network = resnet(Depth::D50, 1000).at([3, 224, 224])?;
//! assert_eq!(network.name(), "resnet50");
//! assert_eq!(network.summary().parameters, 25_557_032);
//! # Ok::<(), cnn_resnet::cnn_core::Error>(())
//! ```
//!
//! # Departures
//!
//! - [`resnet`] is torchvision's: the stride of a bottleneck is on its 3×3 convolution. The paper has it on the first
//!   1×1, which is [`resnet_v1`]: the same tensors, fewer multiply-accumulates.
//! - torchvision projects (option B) where the shape changes, in every depth. The paper's table 2 compares ResNet-18
//!   and -34 with option A.
//! - The multiply-accumulates in the paper's table 1, 1.8, 3.6, 3.8, 7.6 and 11.3 · 10⁹, are to their last digit those of
//!   [`plain`] and [`resnet_v1`].
//! - Initialisation is torchvision's, by fan-out, for the networks on ImageNet; for those on CIFAR it is He's by fan-in.
//! - The pre-activation networks of the paper activate right behind their first convolution, before a pool and before
//!   the first fork. timm's, which [`resnet_preact`] follows in structure and names, do it in the first unit, behind the
//!   pool; in 18, 34 and 110 layers, whose first unit does not project, its shortcut then carries the raw values.
//! - The paper prints 10.2 million parameters for the pre-activation network of 1001 layers; it has 10.3 million.
//! - timm starts the last convolution of its pre-activation units with zeros; here it starts like the others.
//! - The book's convolutions have biases although batch normalisations follow, and its projections no normalisation.
//!   Initialisation is its Xavier.

mod cifar;
mod imagenet;
mod preact;
mod small;

pub use cifar::{Cifar, plain_cifar, resnet_cifar};
pub use cnn_core;
pub use imagenet::{Depth, Plain, ResNext, Wide, plain, resnet, resnet_v1, resnext, wide_resnet};
pub use preact::{PreactCifar, resnet_preact, resnet_preact_cifar};
pub use small::{mnist_residual, resnet18_d2l};

use cnn_core::definition::Catalogue;

/// Every network of this crate: its name, the number of classes its source uses, and its definition.
pub const NETWORKS: Catalogue = &[
    ("resnet18", 1000, |classes| resnet(Depth::D18, classes)),
    ("resnet34", 1000, |classes| resnet(Depth::D34, classes)),
    ("resnet50", 1000, |classes| resnet(Depth::D50, classes)),
    ("resnet101", 1000, |classes| resnet(Depth::D101, classes)),
    ("resnet152", 1000, |classes| resnet(Depth::D152, classes)),
    ("resnet200", 1000, |classes| resnet(Depth::D200, classes)),
    ("resnet50_v1", 1000, |classes| resnet_v1(Depth::D50, classes)),
    ("resnet101_v1", 1000, |classes| resnet_v1(Depth::D101, classes)),
    ("resnet152_v1", 1000, |classes| resnet_v1(Depth::D152, classes)),
    ("resnet18_preact", 1000, |classes| resnet_preact(Depth::D18, classes)),
    ("resnet34_preact", 1000, |classes| resnet_preact(Depth::D34, classes)),
    ("resnet50_preact", 1000, |classes| resnet_preact(Depth::D50, classes)),
    ("resnet101_preact", 1000, |classes| resnet_preact(Depth::D101, classes)),
    ("resnet152_preact", 1000, |classes| resnet_preact(Depth::D152, classes)),
    ("resnet200_preact", 1000, |classes| resnet_preact(Depth::D200, classes)),
    ("resnext50_32x4d", 1000, |classes| resnext(ResNext::D50_32x4d, classes)),
    ("resnext101_32x8d", 1000, |classes| resnext(ResNext::D101_32x8d, classes)),
    ("resnext101_64x4d", 1000, |classes| resnext(ResNext::D101_64x4d, classes)),
    ("wide_resnet50_2", 1000, |classes| wide_resnet(Wide::D50, classes)),
    ("wide_resnet101_2", 1000, |classes| wide_resnet(Wide::D101, classes)),
    ("plain18", 1000, |classes| plain(Plain::D18, classes)),
    ("plain34", 1000, |classes| plain(Plain::D34, classes)),
    ("resnet20_cifar", 10, |classes| resnet_cifar(Cifar::D20, classes)),
    ("resnet32_cifar", 10, |classes| resnet_cifar(Cifar::D32, classes)),
    ("resnet44_cifar", 10, |classes| resnet_cifar(Cifar::D44, classes)),
    ("resnet56_cifar", 10, |classes| resnet_cifar(Cifar::D56, classes)),
    ("resnet110_cifar", 10, |classes| resnet_cifar(Cifar::D110, classes)),
    ("resnet1202_cifar", 10, |classes| resnet_cifar(Cifar::D1202, classes)),
    ("plain20_cifar", 10, |classes| plain_cifar(Cifar::D20, classes)),
    ("plain32_cifar", 10, |classes| plain_cifar(Cifar::D32, classes)),
    ("plain44_cifar", 10, |classes| plain_cifar(Cifar::D44, classes)),
    ("plain56_cifar", 10, |classes| plain_cifar(Cifar::D56, classes)),
    ("plain110_cifar", 10, |classes| plain_cifar(Cifar::D110, classes)),
    ("resnet110_preact_cifar", 10, |classes| resnet_preact_cifar(PreactCifar::D110, classes)),
    ("resnet164_preact_cifar", 10, |classes| resnet_preact_cifar(PreactCifar::D164, classes)),
    ("resnet1001_preact_cifar", 10, |classes| resnet_preact_cifar(PreactCifar::D1001, classes)),
    ("resnet18_d2l", 10, resnet18_d2l),
    ("mnist_residual", 10, mnist_residual),
];
