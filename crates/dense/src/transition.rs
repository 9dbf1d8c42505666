//! Transitions: what halves the maps between two dense blocks.

use cnn_core::definition::*;

/// Normalisation, ReLU, a 1×1 convolution to `channels` channels and a 2×2 average pool (Huang et al. 2017, section 3,
/// pooling layers).
pub fn transition(channels: usize) -> Chain {
    chain()
        .then("norm", batch_norm())
        .then("relu", relu())
        .then("conv", conv(1).out(channels).no_bias())
        .then("pool", avg_pool(2))
}

/// The book's [`transition`], its convolution with a bias, labelled by indices.
pub fn transition_d2l(channels: usize) -> Chain {
    chain().numbered().and(batch_norm()).relu().and(conv(1).out(channels)).and(avg_pool(2))
}
