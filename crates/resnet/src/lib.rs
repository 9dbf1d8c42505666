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
//! - Teaching code whose author is unknown: [`mnist_residual`], *Residual units for MNIST*.
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
//! - [`resnet18_small_stem`] is no network of the paper: for images as small as CIFAR's, torchvision's 18 layers begin
//!   with a 3×3 convolution of stride 1, and without a pool.
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
mod papers;
mod preact;
mod small;

pub use cifar::{Cifar, plain_cifar, resnet_cifar};
pub use cnn_core;
pub use imagenet::{Depth, Plain, ResNext, Wide, plain, resnet, resnet_v1, resnet18_small_stem, resnext, wide_resnet};
pub use preact::{PreactCifar, resnet_preact, resnet_preact_cifar};
pub use small::{mnist_residual, resnet18_d2l};

use cnn_core::definition::{Catalogue, Listing, Paper};
use papers::{IDENTITY_MAPPINGS, RESNET, RESNEXT, TEACHING_CODE, WIDE_RESNET};

/// Every network of this crate, and where it is from.
pub const NETWORKS: Catalogue = &[
    Listing::new(&RESNET, 1000, |classes| resnet(Depth::D18, classes))
        .note("table 1; torchvision's: projections, and the stride of a bottleneck on its 3×3"),
    Listing::new(&RESNET, 1000, |classes| resnet(Depth::D34, classes))
        .note("table 1; torchvision's: projections, and the stride of a bottleneck on its 3×3"),
    Listing::new(&RESNET, 1000, |classes| resnet(Depth::D50, classes))
        .note("table 1; torchvision's: projections, and the stride of a bottleneck on its 3×3"),
    Listing::new(&RESNET, 1000, |classes| resnet(Depth::D101, classes))
        .note("table 1; torchvision's: projections, and the stride of a bottleneck on its 3×3"),
    Listing::new(&RESNET, 1000, |classes| resnet(Depth::D152, classes))
        .note("table 1; torchvision's: projections, and the stride of a bottleneck on its 3×3"),
    Listing::new(&IDENTITY_MAPPINGS, 1000, |classes| resnet(Depth::D200, classes))
        .note("the depth of table 5 with the units of He et al. 2015, as timm has it"),
    Listing::new(&RESNET, 1000, |classes| resnet_v1(Depth::D50, classes))
        .note("table 1; projections in every depth, as torchvision has it"),
    Listing::new(&RESNET, 1000, |classes| resnet_v1(Depth::D101, classes))
        .note("table 1; projections in every depth, as torchvision has it"),
    Listing::new(&RESNET, 1000, |classes| resnet_v1(Depth::D152, classes))
        .note("table 1; projections in every depth, as torchvision has it"),
    Listing::new(&IDENTITY_MAPPINGS, 1000, |classes| resnet_preact(Depth::D18, classes))
        .note("timm's structure and names"),
    Listing::new(&IDENTITY_MAPPINGS, 1000, |classes| resnet_preact(Depth::D34, classes))
        .note("timm's structure and names"),
    Listing::new(&IDENTITY_MAPPINGS, 1000, |classes| resnet_preact(Depth::D50, classes))
        .note("timm's structure and names"),
    Listing::new(&IDENTITY_MAPPINGS, 1000, |classes| resnet_preact(Depth::D101, classes))
        .note("timm's structure and names"),
    Listing::new(&IDENTITY_MAPPINGS, 1000, |classes| resnet_preact(Depth::D152, classes))
        .note("timm's structure and names"),
    Listing::new(&IDENTITY_MAPPINGS, 1000, |classes| resnet_preact(Depth::D200, classes))
        .note("timm's structure and names"),
    Listing::new(&RESNEXT, 1000, |classes| resnext(ResNext::D50_32x4d, classes)).note("table 1"),
    Listing::new(&RESNEXT, 1000, |classes| resnext(ResNext::D101_32x8d, classes)).note("torchvision's widths"),
    Listing::new(&RESNEXT, 1000, |classes| resnext(ResNext::D101_64x4d, classes)).note("table 4"),
    Listing::new(&WIDE_RESNET, 1000, |classes| wide_resnet(Wide::D50, classes)).note("WRN-50-2-bottleneck"),
    Listing::new(&WIDE_RESNET, 1000, |classes| wide_resnet(Wide::D101, classes)).note("torchvision's depth"),
    Listing::new(&RESNET, 10, resnet18_small_stem).note("not the paper's: torchvision's 18 layers behind a 3×3 stem"),
    Listing::new(&RESNET, 1000, |classes| plain(Plain::D18, classes)).note("table 1 and figure 4, left"),
    Listing::new(&RESNET, 1000, |classes| plain(Plain::D34, classes)).note("table 1 and figure 4, left"),
    Listing::new(&RESNET, 10, |classes| resnet_cifar(Cifar::D20, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| resnet_cifar(Cifar::D32, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| resnet_cifar(Cifar::D44, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| resnet_cifar(Cifar::D56, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| resnet_cifar(Cifar::D110, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| resnet_cifar(Cifar::D1202, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| plain_cifar(Cifar::D20, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| plain_cifar(Cifar::D32, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| plain_cifar(Cifar::D44, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| plain_cifar(Cifar::D56, classes)).note("section 4.2"),
    Listing::new(&RESNET, 10, |classes| plain_cifar(Cifar::D110, classes)).note("section 4.2"),
    Listing::new(&IDENTITY_MAPPINGS, 10, |classes| resnet_preact_cifar(PreactCifar::D110, classes)).note("table 3"),
    Listing::new(&IDENTITY_MAPPINGS, 10, |classes| resnet_preact_cifar(PreactCifar::D164, classes)).note("table 3"),
    Listing::new(&IDENTITY_MAPPINGS, 10, |classes| resnet_preact_cifar(PreactCifar::D1001, classes)).note("table 3"),
    Listing::new(&Paper::DIVE_INTO_DEEP_LEARNING, 10, resnet18_d2l).note("section 8.6, after He et al. 2015"),
    Listing::new(&TEACHING_CODE, 10, mnist_residual).note("after He et al. 2015"),
];

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
