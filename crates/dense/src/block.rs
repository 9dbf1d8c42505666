//! Dense blocks: each layer's channels behind all before them.

use cnn_core::definition::*;
use std::fmt::Display;

/// `layers` times `layer`, each reading the concatenation of the block's input and all layers before it (Huang et al.
/// 2017, equation 2). The layers are labelled `denselayer1` and so on.
pub fn dense_block(layers: usize, layer: Chain) -> Chain {
    growing((1..=layers).map(|number| format!("denselayer{number}")), layer)
}

/// The book's block of `layers` layers of normalisation, ReLU and a 3×3 convolution with a bias to `growth` channels,
/// labelled by their indices under `net`.
pub fn dense_block_d2l(layers: usize, growth: usize) -> Chain {
    let layer = chain().numbered().and(batch_norm()).relu().and(conv(3).out(growth).pad(1));
    chain().then("net", growing(0..layers, layer))
}

fn growing<L: Display>(labels: impl Iterator<Item = L>, layer: Chain) -> Chain {
    chain().and_all(labels.map(|label| concat().branch(chain()).labelled(label, layer.clone())))
}
