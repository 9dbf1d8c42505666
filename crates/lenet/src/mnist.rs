//! Two small networks for MNIST: one of convolutions, and the fully connected one before it.

use cnn_core::Architecture;
use cnn_core::definition::*;

/// Two convolutions and a linear layer, the pool before the activation. 8,490 parameters with ten classes.
pub fn mnist_conv(classes: usize) -> Architecture {
    chain()
        .then("conv1", conv(5).out(10))
        .and(max_pool(2))
        .relu()
        .then("conv2", conv(5).out(20))
        .and(max_pool(2))
        .relu()
        .flatten()
        .then("fc", linear(classes))
        .named("mnist_conv", [1, 28, 28])
}

/// 784 inputs, 15 hidden sigmoids, one output a class: every pixel a weight of its own, so that a shifted digit is a
/// different input altogether. 11,935 parameters with ten classes.
pub fn mnist_mlp(classes: usize) -> Architecture {
    chain().numbered().flatten().and(linear(15)).sigmoid().and(linear(classes)).named("mnist_mlp", [1, 28, 28])
}
