//! The small Inception network of the MNIST tutorials.

use cnn_core::Architecture;
use cnn_core::definition::{chain, conv, linear, max_pool};
use cnn_inception::mnist::inception;

/// Two convolutions and two Inception blocks of 88 channels for 28×28 digits: 97,298 parameters for 10 classes.
///
/// *Departures* from any Inception paper: the blocks have no activation; the pool comes before the ReLU, which gives
/// the same with a quarter of the work. Begins with torch's defaults.
pub fn mnist_inception(classes: usize) -> Architecture {
    chain()
        .then("conv1", conv(5).out(10))
        .and(max_pool(2))
        .relu()
        .then("incep1", inception())
        .then("conv2", conv(5).out(20))
        .and(max_pool(2))
        .relu()
        .then("incep2", inception())
        .flatten()
        .then("fc", linear(classes))
        .named("mnist_inception", [1, 28, 28])
}
