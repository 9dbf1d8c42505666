//! LeNet as tutorials write it.

use cnn_core::Architecture;
use cnn_core::definition::*;

/// LeNet-5's layers with today's parts: ReLU for tanh, max pools for trained subsampling, a dense C3, a linear output.
/// 61,706 parameters with ten classes.
pub fn lenet(classes: usize) -> Architecture {
    chain()
        .then("conv1", conv(5).out(6))
        .relu()
        .and(max_pool(2))
        .then("conv2", conv(5).out(16))
        .relu()
        .and(max_pool(2))
        .flatten()
        .then("fc1", linear(120))
        .relu()
        .then("fc2", linear(84))
        .relu()
        .then("fc3", linear(classes))
        .named("lenet", [1, 32, 32])
}
