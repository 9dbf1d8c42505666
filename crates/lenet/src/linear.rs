//! LeNet without activations.

use cnn_core::Architecture;
use cnn_core::definition::*;

/// No activation anywhere: between its convolutions only the max pools are not linear. 61,610 parameters with ten
/// classes.
pub fn lenet_linear(classes: usize) -> Architecture {
    chain()
        .then("conv1", conv(3).out(6).pad(1))
        .then("pool1", max_pool(2))
        .then("conv2", conv(5).out(16))
        .then("pool2", max_pool(2))
        .flatten()
        .then("fc1", linear(120))
        .then("fc2", linear(84))
        .then("fc3", linear(classes))
        .named("lenet_linear", [1, 28, 28])
}
