//! The layer all blocks are made of: a convolution and what follows it.

use cnn_core::definition::{Chain, avg_pool, batch_norm, chain};
use cnn_core::op::Conv;

/// Convolution without bias, batch normalisation with ε = 1e-3, ReLU: `conv` and `bn`.
///
/// The unit of every Inception from the second on; ε is that of the published weights (torch's own default is 1e-5).
pub fn conv_bn(conv: Conv) -> Chain {
    chain().then("conv", conv.no_bias()).then("bn", batch_norm().eps(1e-3)).relu()
}

/// Convolution with bias, ReLU: `conv`. The unit of GoogLeNet as its paper has it.
pub fn conv_relu(conv: Conv) -> Chain {
    chain().then("conv", conv).relu()
}

/// [`conv_bn`] units one after the other, numbered.
pub(crate) fn path<const N: usize>(convs: [Conv; N]) -> Chain {
    chain().numbered().and_all(convs.map(conv_bn))
}

/// The pool branch from Inception-v4 on, numbered: a 3×3 average over real pixels only, then `projection`.
pub(crate) fn average_path(projection: Conv) -> Chain {
    chain().numbered().and(avg_pool(3).stride(1).pad(1).without_padding()).and(conv_bn(projection))
}
