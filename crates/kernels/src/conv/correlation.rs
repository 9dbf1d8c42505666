//! A convolution read in one direction: what the forward pass and the gradient of the input have in common.

use super::shape::{Bundles, Conv};
use super::sweep::Axis;

/// Writes, for each position, the sum over taps and channels of numbers read times weights.
pub(super) struct Correlation<'a> {
    /// Bundles in this direction.
    pub(super) bundles: Bundles,
    pub(super) axes: [Axis; 2],
    /// Whether outputs are read and inputs written.
    pub(super) backward: bool,
    pub(super) conv: &'a Conv,
}

impl<'a> Correlation<'a> {
    /// The forward pass between an input and an output of these sizes.
    pub(super) fn forward(conv: &'a Conv, input: [usize; 2], output: [usize; 2]) -> Self {
        let axes = [0, 1].map(|i| Axis::forward(conv, i, input[i], output[i]));
        Self { bundles: conv.bundles(), axes, backward: false, conv }
    }

    /// The gradient of the input, between the same.
    pub(super) fn backward(conv: &'a Conv, input: [usize; 2], output: [usize; 2]) -> Self {
        let axes = [0, 1].map(|i| Axis::backward(conv, i, input[i], output[i]));
        let Bundles { count, ins, outs } = conv.bundles();
        Self { bundles: Bundles { count, ins: outs, outs: ins }, axes, backward: true, conv }
    }
}
