//! The unit of the small MNIST network.

use cnn_core::definition::*;

/// `ReLU(x + F(x))` where `F` is two 3×3 convolutions with biases and a ReLU between them, to as many channels as come
/// in; no normalisation.
pub fn unnormalised() -> Chain {
    let main = chain().then("conv1", conv(3).pad(1)).relu().then("conv2", conv(3).pad(1));
    chain().and(sum().branch(chain()).branch(main)).relu()
}
