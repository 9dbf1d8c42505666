//! Weights in the order in which the kernels read them, each output's times its own factor.

use super::step::{Convolution, LinearLayer};
use crate::buffer::{Buffer, Shared};
use crate::conv::Conv;
use crate::simd::LANES;
use crate::threads::for_each;

/// The weights of a convolution, `(out, in / groups, height, width)`, with a factor for each output.
#[derive(Clone, Copy)]
pub(super) struct Scaled<'a> {
    pub(super) weights: &'a [f32],
    pub(super) factors: &'a [f32],
}

/// Packs for the direct computation: `[bundle][panel][block of inputs][tap][input][output]`, or with few channels
/// `[panel][tap][input][output]`, which is the same.
pub(super) fn direct(conv: &Conv, panels: usize, scaled: Scaled<'_>, packed: &mut [f32]) {
    let (bundles, taps) = (conv.bundles(), conv.kernel[0] * conv.kernel[1]);
    let (blocks, depth) = (bundles.outs.div_ceil(LANES), bundles.ins * taps);
    let per_bundle = blocks.div_ceil(panels);
    let shared = Shared::new(packed);
    for_each(bundles.count * per_bundle, |task| {
        let (bundle, first) = (task / per_bundle, task % per_bundle * panels);
        let width = panels.min(blocks - first) * LANES;
        let start = (bundle * blocks + first) * LANES * depth;
        // SAFETY: each task has a panel of its own.
        let packed = unsafe { shared.part(start..start + width * depth) };
        let mut vectors = packed.chunks_exact_mut(width);
        for block in (0..bundles.ins).step_by(LANES) {
            for tap in 0..taps {
                for input in block..bundles.ins.min(block + LANES) {
                    let Some(vector) = vectors.next() else { return };
                    for (lane, weight) in vector.iter_mut().enumerate() {
                        let out = first * LANES + lane;
                        *weight = match out < bundles.outs {
                            true => scaled.weight(conv, bundle * bundles.outs + out, bundle * bundles.ins + input, tap),
                            false => 0.0,
                        };
                    }
                }
            }
        }
    });
}

impl Scaled<'_> {
    /// One weight; 0 between groups.
    #[inline(always)]
    pub(super) fn weight(&self, conv: &Conv, out: usize, input: usize, tap: usize) -> f32 {
        conv.weight_index(out, input, tap).map_or(0.0, |at| self.weights[at] * self.factors[out])
    }
}

/// Packs the weights of a linear layer, `(out, in)`: `[panel][block][pixel][input][output]`.
pub(super) fn linear(step: &LinearLayer, panels: usize, scaled: Scaled<'_>, packed: &mut [f32]) {
    let (pixels, channels, outs) = (step.input.pixels(), step.input.channels, step.output.channels);
    let (blocks, vectors) = (step.output.blocks(), step.input.blocks() * pixels);
    let shared = Shared::new(packed);
    for_each(blocks.div_ceil(panels), |panel| {
        let first = panel * panels;
        let width = panels.min(blocks - first) * LANES;
        let start = first * LANES * vectors * LANES;
        // SAFETY: each task has a panel of its own.
        let packed = unsafe { shared.part(start..start + width * vectors * LANES) };
        for (number, vector) in packed.chunks_exact_mut(width).enumerate() {
            let (pixel, channel) = (number / LANES % pixels, number / LANES / pixels * LANES + number % LANES);
            for (lane, weight) in vector.iter_mut().enumerate() {
                let out = first * LANES + lane;
                *weight = match out < outs && channel < channels {
                    true => scaled.weights[(out * channels + channel) * pixels + pixel] * scaled.factors[out],
                    false => 0.0,
                };
            }
        }
    });
}

/// Biases of a convolution, each bundle's filled up to whole panels.
pub(super) fn bias(step: &Convolution, panels: usize, bias: &[f32]) -> Buffer<f32> {
    let bundles = step.conv.bundles();
    let padded = bundles.outs.div_ceil(LANES).next_multiple_of(panels) * LANES;
    let mut packed = Buffer::zeros(bundles.count * padded);
    for (to, from) in packed.chunks_exact_mut(padded).zip(bias.chunks(bundles.outs)) {
        to[..from.len()].copy_from_slice(from);
    }
    packed
}
