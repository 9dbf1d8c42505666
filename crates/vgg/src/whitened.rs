//! A small VGG that learns CIFAR-10 in few epochs.

use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::{Law, Scheme};

/// Six 3×3 convolutions in three blocks behind a 2×2 one that whitens its input, for 3×32×32, after Jordan 2024
/// (section 3.1). The recipe `cifar10-fast` sets the first convolution to the patches' principal directions and
/// keeps it.
///
/// As many channels of each 3×3 convolution as come in begin as copies of them ([`Law::PartialIdentity`]), and the scores are a
/// ninth of the last layer's.
pub fn vgg_whitened_cifar(classes: usize) -> Architecture {
    chain()
        .then("whiten", conv(2).out(24))
        .relu()
        .then("block1", block(64))
        .then("block2", block(256))
        .then("block3", block(256))
        .and(max_pool(3))
        .flatten()
        .then("linear", linear(classes).no_bias())
        .and(scale(1.0 / 9.0))
        .named("vgg_whitened_cifar", [3, 32, 32])
        .initialised(Scheme::TORCH.conv_bias(Law::Constant(0.0)))
}

/// Two convolutions of `width` channels, a pool behind the first.
fn block(width: usize) -> Chain {
    let conv = || conv(3).out(width).pad(1).no_bias().weights(Law::PartialIdentity);
    let norm = || batch_norm().momentum(0.4);
    chain()
        .then("conv1", conv())
        .and(max_pool(2))
        .then("norm1", norm())
        .relu()
        .then("conv2", conv())
        .then("norm2", norm())
        .relu()
}
