//! Weights in the order the micro-kernels take them.

use super::correlation::Correlation;
use super::shape::Bundles;
use super::sweep::Phase;
use crate::buffer::Shared;
use crate::element::Element;
use crate::scratch::with_scratch;
use crate::simd::{Arithmetic, InstructionSet, LANES, Multiply, ProductKernel, Vector};
use crate::threads::for_each;
use crate::transpose::{NOWHERE, Rows, load, to_columns};
use std::ops::Range;

/// Inputs, or blocks of them, between those that are packed and those that are asked for.
const AHEAD: usize = 4;

/// The taps of a pair of phases: index in the kernel and offsets read.
pub(super) fn taps(correlation: &Correlation<'_>, [down, right]: [&Phase; 2]) -> Vec<(usize, [isize; 2])> {
    let pairs = down.taps.iter().flat_map(|row| right.taps.iter().map(move |column| (row, column)));
    pairs.map(|(row, column)| (row.0 * correlation.conv.kernel[1] + column.0, [row.1, column.1])).collect()
}

/// Numbers that the packed weights of one bundle take for a number of taps:
/// `[panel][block of inputs][tap][factor][output]`, a factor of one input or of two neighbours.
pub(super) fn packed_len<A: Arithmetic>(correlation: &Correlation<'_>, taps: usize) -> usize {
    let bundles = &correlation.bundles;
    bundles.outs.next_multiple_of(LANES) * bundles.ins.div_ceil(A::DEPTH) * taps
}

/// Packs the weights of some taps, all bundles one behind the other, panels of `panels` blocks.
pub(super) fn pack<A: Arithmetic>(
    correlation: &Correlation<'_>,
    set: InstructionSet,
    weights: &[A::Number],
    taps: &[(usize, [isize; 2])],
    panels: usize,
    packed: &mut [A::Number],
) {
    if correlation.backward && correlation.conv.groups == 1 && correlation.conv.kernel == [1, 1] && !taps.is_empty() {
        return pack_rows::<A>(correlation, set, weights, panels, packed);
    }
    let (bundles, len) = (correlation.bundles, packed_len::<A>(correlation, taps.len()));
    let (blocks, depth) = (bundles.outs.div_ceil(LANES), bundles.ins.div_ceil(A::DEPTH) * taps.len());
    let shared = Shared::new(packed);
    let per_bundle = blocks.div_ceil(panels);
    for_each(bundles.count * per_bundle, |task| {
        let (bundle, first) = (task / per_bundle, task % per_bundle * panels);
        let width = panels.min(blocks - first) * LANES;
        let start = bundle * len + first * LANES * depth;
        // SAFETY: each task has a panel of its own.
        let packed = unsafe { shared.part(start..start + width * depth) };
        let apart = if A::DEPTH == 1 { 0 } else { LANES * taps.len() * width };
        with_scratch(apart, |apart| {
            A::dispatch(set, Panel { correlation, weights, taps, bundle, first: first * LANES, width, apart, packed });
        });
    });
}

/// Packs the weights of one tap on the way back: outputs of an input lie one behind the other, as they will.
fn pack_rows<A: Arithmetic>(
    correlation: &Correlation<'_>,
    set: InstructionSet,
    weights: &[A::Number],
    panels: usize,
    packed: &mut [A::Number],
) {
    let Bundles { ins, outs, .. } = correlation.bundles;
    let packed = Shared::new(packed);
    for_each(ins.div_ceil(LANES), |block| {
        let inputs = block * LANES..((block + 1) * LANES).min(ins);
        A::dispatch(set, PackedRows { weights, size: [ins, outs], inputs, panels, packed });
    });
}

/// Some inputs' rows of outputs, to be packed.
struct PackedRows<'a, T> {
    weights: &'a [T],
    /// All inputs and outputs.
    size: [usize; 2],
    inputs: Range<usize>,
    panels: usize,
    packed: Shared<'a, T>,
}

impl<T: Element> ProductKernel<T> for PackedRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let Self { weights, size: [ins, outs], inputs, panels, packed } = self;
        let (blocks, factors) = (outs.div_ceil(LANES), ins.div_ceil(M::DEPTH));
        for first in inputs.clone().step_by(M::DEPTH) {
            for block in 0..blocks {
                let mut vectors = [M::Vector::zero(); 2];
                let count = LANES.min(outs - block * LANES);
                for (which, vector) in vectors.iter_mut().enumerate().take(M::DEPTH.min(inputs.end - first)) {
                    let from = &weights[(first + which) * outs + block * LANES..][..count];
                    *vector = load::<M::Vector>(from, count);
                }
                let (panel, lanes) = (block / panels * panels, block % panels * LANES);
                let width = panels.min(blocks - panel) * LANES;
                let start = panel * LANES * factors + first / M::DEPTH * width + lanes;
                // SAFETY: inputs have places of their own, and `to` is checked to hold the vector.
                unsafe { M::store_together(vectors, packed.pointer(start..start + LANES)) };
            }
        }
    }
}

/// A panel of outputs, to be packed.
struct Panel<'a, T> {
    correlation: &'a Correlation<'a>,
    weights: &'a [T],
    taps: &'a [(usize, [isize; 2])],
    bundle: usize,
    /// Its first output of the bundle.
    first: usize,
    width: usize,
    /// Memory for a block of inputs, where factors are made of several.
    apart: &'a mut [T],
    packed: &'a mut [T],
}

impl<T: Element> ProductKernel<T> for Panel<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let Self { correlation, weights, taps, bundle, first, width, apart, packed } = self;
        let Bundles { ins, outs, .. } = correlation.bundles;
        let all = correlation.conv.kernel[0] * correlation.conv.kernel[1];
        if taps.is_empty() {
            return;
        }
        // Each tap's place among those that are packed.
        let mut order = vec![NOWHERE; all];
        taps.iter().enumerate().for_each(|(number, (tap, _))| order[*tap] = number);
        // Weights between groups are zeros: all taps are copied one behind the other before they are sorted.
        let mut near = vec![T::ZERO; if correlation.conv.groups == 1 { 0 } else { LANES * LANES * all }];
        let mut packed = packed;
        for block in (0..ins).step_by(LANES) {
            let inputs = LANES.min(ins - block);
            let (factors, rest) = packed.split_at_mut(inputs.div_ceil(M::DEPTH) * taps.len() * width);
            packed = rest;
            let own = if M::DEPTH == 1 { &mut *factors } else { &mut apart[..inputs * taps.len() * width] };
            // Columns are taps of inputs, or taps alone where inputs are rows of the weights.
            let columns = if correlation.backward { all } else { inputs * all };
            let places: Vec<usize> = (0..columns)
                .map(|column| match order[column % all] {
                    NOWHERE => NOWHERE,
                    tap => (tap * inputs + column / all) * width,
                })
                .collect();
            for lanes in (0..width).step_by(LANES) {
                let outputs = LANES.min(outs.saturating_sub(first + lanes));
                let to = &mut own[lanes..];
                let (from, [of_outputs, of_inputs]) =
                    correlation.between(weights, bundle, [first + lanes, outputs], [block, inputs], &mut near);
                // What is packed next: the inputs behind these, a few at a time where they lie far apart.
                let ahead = if correlation.backward { AHEAD * of_inputs } else { LANES * all.max(AHEAD) };
                let rows = Rows { count: outputs, stride: of_outputs, ahead };
                if correlation.backward {
                    for input in 0..inputs {
                        to_columns::<M::Vector>(&from[input * of_inputs..], rows, &places, &mut to[input * width..]);
                    }
                } else {
                    to_columns::<M::Vector>(from, rows, &places, to);
                }
            }
            if M::DEPTH > 1 {
                for tap in 0..taps.len() {
                    let apart = &apart[tap * inputs * width..][..inputs * width];
                    let factors = &mut factors[tap * inputs.div_ceil(M::DEPTH) * width..];
                    pair::<M>(apart, width, factors);
                }
            }
        }
    }
}

/// Makes factors of rows of `width` numbers, of neighbours; what has none is multiplied by zero.
#[inline(always)]
pub(super) fn pair<M: Multiply>(rows: &[M::Number], width: usize, factors: &mut [M::Number]) {
    let count = rows.len() / width;
    let factors = &mut factors[..count.div_ceil(M::DEPTH) * width];
    for first in (0..count).step_by(M::DEPTH) {
        for lanes in (0..width).step_by(LANES) {
            let mut vectors = [M::Vector::zero(); 2];
            for (which, vector) in vectors.iter_mut().enumerate().take(M::DEPTH.min(count - first)) {
                // SAFETY: `rows` holds that row.
                *vector = unsafe { M::Vector::load(rows.as_ptr().add((first + which) * width + lanes)) };
            }
            // SAFETY: `factors` holds a row for each `DEPTH` rows.
            unsafe { M::store_together(vectors, factors.as_mut_ptr().add(first / M::DEPTH * width + lanes)) };
        }
    }
}

impl Correlation<'_> {
    /// The taps between some outputs and some inputs of a bundle, in this direction, and how far apart those of
    /// neighbouring outputs and of neighbouring inputs are: where they lie, or with groups gathered in `near`.
    #[inline(always)]
    fn between<'w, T: Element>(
        &self,
        weights: &'w [T],
        bundle: usize,
        [first, outputs]: [usize; 2],
        [block, inputs]: [usize; 2],
        near: &'w mut [T],
    ) -> (&'w [T], [usize; 2]) {
        let conv = self.conv;
        let taps = conv.kernel[0] * conv.kernel[1];
        let (first, block) = (bundle * self.bundles.outs + first, bundle * self.bundles.ins + block);
        if outputs == 0 {
            return (&[], [0, 0]);
        }
        let pair = |output: usize, input: usize| if self.backward { (input, output) } else { (output, input) };
        if conv.groups == 1 {
            let row = conv.in_channels * taps;
            let (out, input) = pair(first, block);
            let steps = if self.backward { [taps, row] } else { [row, taps] };
            return (&weights[out * row + input * taps..], steps);
        }
        let steps = if self.backward { [taps, LANES * taps] } else { [LANES * taps, taps] };
        for output in 0..outputs {
            for input in 0..inputs {
                let to = &mut near[output * steps[0] + input * steps[1]..][..taps];
                let (out, input) = pair(first + output, block + input);
                match conv.weight_index(out, input, 0) {
                    Some(at) => to.copy_from_slice(&weights[at..at + taps]),
                    None => to.fill(T::ZERO),
                }
            }
        }
        (near, steps)
    }
}
