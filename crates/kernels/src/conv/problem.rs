//! The problem a convolution poses: what the choice of an algorithm and its cost depend on.

use super::correlation::Correlation;
use super::shape::Conv;
use super::sweep::Axis;
use crate::simd::LANES;

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// The forward pass or the gradient of the input.
    Correlation,
    /// The gradient of the weights.
    Weights,
}

/// What the choice looks at.
pub(super) struct Problem<'a> {
    pub(super) pass: Pass,
    pub(super) conv: &'a Conv,
    /// Channels read and written of a bundle.
    pub(super) channels: [usize; 2],
    /// Taps along either axis that meet more than padding; the direct computation leaves the others out.
    pub(super) taps: [usize; 2],
    batch: usize,
    /// Positions along either axis.
    size: [usize; 2],
}

impl<'a> Problem<'a> {
    pub(super) fn correlation(correlation: &Correlation<'a>, batch: usize) -> Self {
        let channels = [correlation.bundles.ins, correlation.bundles.outs];
        Self::new(Pass::Correlation, correlation.conv, channels, &correlation.axes, batch)
    }

    /// `axes` are those of the forward pass.
    pub(super) fn weights(conv: &'a Conv, axes: &[Axis; 2], batch: usize) -> Self {
        Self::new(Pass::Weights, conv, [conv.in_channels, conv.out_channels], axes, batch)
    }

    fn new(pass: Pass, conv: &'a Conv, channels: [usize; 2], axes: &[Axis; 2], batch: usize) -> Self {
        let taps = [0, 1].map(|i| axes[i].phases[0].taps.len());
        let size = [0, 1].map(|i| axes[i].count());
        Self { pass, conv, channels, taps, batch, size }
    }

    /// Tiles of `step` by `step` positions.
    pub(super) fn tiles(&self, step: usize) -> f64 {
        (self.batch * self.size[0].div_ceil(step) * self.size[1].div_ceil(step)) as f64
    }

    /// Blocks of channels read and written.
    pub(super) fn blocks(&self) -> f64 {
        self.channels.map(|channels| channels.div_ceil(LANES)).iter().sum::<usize>() as f64
    }

    /// Whether pairs of numbers can be multiplied: groups that share a block are multiplied number by number.
    pub(super) fn has_pairs(&self) -> bool {
        self.conv.groups == 1 || self.conv.bundles().count == self.conv.groups
    }

    /// Vectors of weights of one tap.
    pub(super) fn pairs(&self) -> f64 {
        self.channels[0] as f64 * self.channels[1].div_ceil(LANES) as f64
    }
}
