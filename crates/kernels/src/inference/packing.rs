//! Weights in the order in which the kernels read them, each output's times its own factor.

use super::packed::Packed;
use super::refused::Refused;
use super::step::{Convolution, LinearLayer};
use crate::buffer::{Buffer, Shared};
use crate::conv::Conv;
use crate::simd::LANES;
use crate::threads::{for_each, threads};

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

/// A linear layer's weights, `(out, in)`, some rows after the others, packed: `[panel][block][pixel][input][output]`.
pub struct LinearPacking<'a> {
    step: &'a LinearLayer,
    panels: usize,
    factors: &'a [f32],
    bias: Buffer<f32>,
    weights: Buffer<f32>,
    /// Rows so far.
    rows: usize,
}

impl<'a> LinearPacking<'a> {
    pub(super) fn new(step: &'a LinearLayer, panels: usize, factors: &'a [f32], bias: &[f32]) -> Self {
        let outs = step.output.blocks() * LANES;
        let mut padded = Buffer::zeros(outs);
        padded[..bias.len()].copy_from_slice(bias);
        let weights = Buffer::zeros(outs * step.input.blocks() * step.input.pixels() * LANES);
        Self { step, panels, factors, bias: padded, weights, rows: 0 }
    }

    /// Numbers of a row.
    fn row(&self) -> usize {
        self.step.input.channels * self.step.input.pixels()
    }

    /// How many numbers to bring at once: those of a panel for each thread, and some megabytes at least.
    pub fn part(&self) -> usize {
        const LEAST: usize = 1 << 20;
        let panel = self.panels * LANES * self.row();
        panel * LEAST.div_ceil(panel.max(1)).max(threads())
    }

    /// Packs the next rows: of [`LinearPacking::part`] numbers, or the last.
    ///
    /// # Errors
    ///
    /// Numbers that are no such rows.
    pub fn push(&mut self, rows: &[f32]) -> Result<(), Refused> {
        let (pixels, channels) = (self.step.input.pixels(), self.step.input.channels);
        let (first_row, count) = (self.rows, rows.len() / self.row().max(1));
        let until = first_row + count;
        let outs = self.step.output.channels;
        let whole = until == outs || count.is_multiple_of(self.panels * LANES);
        if rows.len() != count * self.row() || until > outs || !whole {
            return Err(Refused("the tensors are not of its shape".into()));
        }
        if count == 0 {
            return Ok(());
        }
        let (blocks, vectors) = (self.step.output.blocks(), self.step.input.blocks() * pixels);
        let (panels, factors) = (self.panels, self.factors);
        let shared = Shared::new(&mut self.weights);
        let begin = first_row / LANES / panels;
        for_each(until.div_ceil(LANES * panels) - begin, |panel| {
            let first = (begin + panel) * panels;
            let width = panels.min(blocks - first) * LANES;
            let start = first * LANES * vectors * LANES;
            // SAFETY: each task has a panel of its own.
            let packed = unsafe { shared.part(start..start + width * vectors * LANES) };
            for (number, vector) in packed.chunks_exact_mut(width).enumerate() {
                let (pixel, channel) = (number / LANES % pixels, number / LANES / pixels * LANES + number % LANES);
                for (lane, weight) in vector.iter_mut().enumerate() {
                    let out = first * LANES + lane;
                    *weight = match out < until && channel < channels {
                        true => rows[((out - first_row) * channels + channel) * pixels + pixel] * factors[out],
                        false => 0.0,
                    };
                }
            }
        });
        self.rows = until;
        Ok(())
    }

    /// What was packed.
    ///
    /// # Errors
    ///
    /// Rows that are missing.
    pub fn packed(self) -> Result<Packed, Refused> {
        match self.rows == self.step.output.channels {
            true => Ok(Packed { weights: self.weights.into(), bias: self.bias.into() }),
            false => Err(Refused("the tensors are not of its shape".into())),
        }
    }
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
