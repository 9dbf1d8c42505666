//! Weights in the order the micro-kernels take them.

use super::correlate::Correlation;
use super::sweep::Phase;
use crate::buffer::Shared;
use crate::element::Element;
use crate::simd::LANES;
use crate::threads::for_each;

/// The taps of a pair of phases: index in the kernel and offsets read.
pub(super) fn taps(correlation: &Correlation<'_>, [down, right]: [&Phase; 2]) -> Vec<(usize, [isize; 2])> {
    let pairs = down.taps.iter().flat_map(|row| right.taps.iter().map(move |column| (row, column)));
    pairs.map(|(row, column)| (row.0 * correlation.conv.kernel[1] + column.0, [row.1, column.1])).collect()
}

/// Vectors of weights one bundle has for a number of taps: `[panel][block of inputs][tap][input][output]`.
pub(super) fn packed_len(correlation: &Correlation<'_>, taps: usize) -> usize {
    let bundles = &correlation.bundles;
    bundles.outs.next_multiple_of(LANES) * bundles.ins * taps
}

/// Packs the weights of some taps, all bundles one behind the other, panels of `panels` blocks.
pub(super) fn pack<T: Element>(
    correlation: &Correlation<'_>,
    weights: &[T],
    taps: &[(usize, [isize; 2])],
    panels: usize,
    packed: &mut [T],
) {
    let (bundles, len) = (correlation.bundles, packed_len(correlation, taps.len()));
    let (blocks, depth) = (bundles.outs.div_ceil(LANES), bundles.ins * taps.len());
    let shared = Shared::new(packed);
    let per_bundle = blocks.div_ceil(panels);
    let all = correlation.conv.kernel[0] * correlation.conv.kernel[1];
    for_each(bundles.count * per_bundle, |task| {
        let (bundle, first) = (task / per_bundle, task % per_bundle * panels);
        let width = panels.min(blocks - first) * LANES;
        let outputs = width.min(bundles.outs - first * LANES);
        let start = bundle * len + first * LANES * depth;
        // SAFETY: each task has a panel of its own.
        let panel = unsafe { shared.part(start..start + width * depth) };
        let mut vectors = panel.chunks_exact_mut(width);
        // Weights of neighbouring outputs are far apart: their taps are gathered run by run before they are sorted.
        let mut near = vec![T::ZERO; LANES * width * all];
        let steps = correlation.steps(width);
        for block in (0..bundles.ins).step_by(LANES) {
            let inputs = LANES.min(bundles.ins - block);
            correlation.gather(weights, bundle, [first * LANES, outputs], [block, inputs], steps, &mut near);
            for (tap, _) in taps {
                for input in 0..inputs {
                    let Some(to) = vectors.next() else { return };
                    let near = &near[input * steps[1] + tap..];
                    for (lane, to) in to[..outputs].iter_mut().enumerate() {
                        *to = near[lane * steps[0]];
                    }
                    to[outputs..].fill(T::ZERO);
                }
            }
        }
    });
}

impl Correlation<'_> {
    /// How far apart the taps of two outputs, and of two inputs, are gathered: as the weights have them.
    fn steps(&self, width: usize) -> [usize; 2] {
        let taps = self.conv.kernel[0] * self.conv.kernel[1];
        if self.backward { [taps, width * taps] } else { [LANES * taps, taps] }
    }

    /// Copies all taps between some channels of a bundle, in this direction.
    fn gather<T: Element>(
        &self,
        weights: &[T],
        bundle: usize,
        [first, outputs]: [usize; 2],
        [block, inputs]: [usize; 2],
        steps: [usize; 2],
        to: &mut [T],
    ) {
        let taps = self.conv.kernel[0] * self.conv.kernel[1];
        let first_output = bundle * self.bundles.outs + first;
        let first_input = bundle * self.bundles.ins + block;
        // The channel whose weights lie one behind the other is the convolution's input.
        let (rows, columns) = if self.backward { (inputs, outputs) } else { (outputs, inputs) };
        let [row_step, column_step] = if self.backward { [steps[1], steps[0]] } else { steps };
        for row in 0..rows {
            let to = &mut to[row * row_step..][..columns * column_step];
            let pair = |column: usize| match self.backward {
                true => (first_input + row, first_output + column),
                false => (first_output + row, first_input + column),
            };
            if self.conv.groups == 1 {
                let (out, input) = pair(0);
                let at = (out * self.conv.in_channels + input) * taps;
                to.copy_from_slice(&weights[at..at + columns * taps]);
                continue;
            }
            for (column, to) in to.chunks_exact_mut(taps.max(1)).enumerate() {
                let (out, input) = pair(column);
                match self.conv.weight_index(out, input, 0) {
                    Some(at) => to.copy_from_slice(&weights[at..at + taps]),
                    None => to.fill(T::ZERO),
                }
            }
        }
    }
}
