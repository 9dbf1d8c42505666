//! Two networks from teaching texts.

use crate::imagenet::{Depth, stages};
use cnn_core::Architecture;
use cnn_core::definition::*;
use cnn_core::initialisation::Scheme;
use cnn_residual::{basic_d2l, stage, unnormalised};

/// The book's ResNet-18 for Fashion-MNIST at 96×96 (section 8.6), named by its indices in nested sequences.
pub fn resnet18_d2l(classes: usize) -> Architecture {
    let stem = chain()
        .numbered()
        .and(conv(7).out(64).stride(2).pad(3))
        .and(batch_norm())
        .relu()
        .and(max_pool(3).stride(2).pad(1));
    chain()
        .numbered()
        .and(stem)
        .and_all(stages(Depth::D18.column().units).map(|numbers| stage(numbers, basic_d2l)))
        .global_avg_pool()
        .and(linear(classes))
        .named("resnet18_d2l", [1, 96, 96])
        .initialised(Scheme::XAVIER)
}

/// Two 5×5 convolutions for MNIST, each with a pool and a residual unit behind it. Initialised as torch does.
pub fn mnist_residual(classes: usize) -> Architecture {
    chain()
        .then("conv1", conv(5).out(16))
        .relu()
        .and(max_pool(2))
        .then("rblock1", unnormalised())
        .then("conv2", conv(5).out(32))
        .relu()
        .and(max_pool(2))
        .then("rblock2", unnormalised())
        .flatten()
        .then("fc", linear(classes))
        .named("mnist_residual", [1, 28, 28])
}
