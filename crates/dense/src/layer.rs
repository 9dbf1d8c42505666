//! Dense layers: what they compute, before it is put behind their input.

use cnn_core::definition::*;

/// `H`: normalisation, ReLU and a 3×3 convolution to `growth` channels (Huang et al. 2017, section 3, composite
/// function).
pub fn layer(growth: usize) -> Chain {
    chain().then("norm1", batch_norm()).then("relu1", relu()).then("conv1", conv(3).out(growth).pad(1).no_bias())
}

/// `H` of DenseNet-B: [`layer`] behind normalisation, ReLU and a 1×1 convolution to four times `growth` channels
/// (Huang et al. 2017, section 3, bottleneck layers).
pub fn bottleneck_layer(growth: usize) -> Chain {
    chain()
        .then("norm1", batch_norm())
        .then("relu1", relu())
        .then("conv1", conv(1).out(growth.saturating_mul(4)).no_bias())
        .then("norm2", batch_norm())
        .then("relu2", relu())
        .then("conv2", conv(3).out(growth).pad(1).no_bias())
}
