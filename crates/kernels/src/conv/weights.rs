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
        for block in (0..bundles.ins).step_by(LANES) {
            let inputs = LANES.min(bundles.ins - block);
            correlation.gather(weights, bundle, [first * LANES, outputs], [block, inputs], &mut near);
            for (tap, _) in taps {
                for input in 0..inputs {
                    let Some(to) = vectors.next() else { return };
                    for (lane, to) in to[..outputs].iter_mut().enumerate() {
                        *to = near[(lane * LANES + input) * all + tap];
                    }
                    to[outputs..].fill(T::ZERO);
                }
            }
        }
    });
}

impl Correlation<'_> {
    /// Copies all taps between some channels of a bundle, in this direction, to `[output][16 inputs][tap]`.
    fn gather<T: Element>(
        &self,
        weights: &[T],
        bundle: usize,
        [first, outputs]: [usize; 2],
        [block, inputs]: [usize; 2],
        to: &mut [T],
    ) {
        let taps = self.conv.kernel[0] * self.conv.kernel[1];
        let first_output = bundle * self.bundles.outs + first;
        let first_input = bundle * self.bundles.ins + block;
        for (lane, to) in to.chunks_exact_mut(LANES * taps).take(outputs).enumerate() {
            for (input, to) in to.chunks_exact_mut(taps.max(1)).take(inputs).enumerate() {
                let pair = (first_output + lane, first_input + input);
                let (out, input) = if self.backward { (pair.1, pair.0) } else { pair };
                match self.conv.weight_index(out, input, 0) {
                    Some(at) => to.copy_from_slice(&weights[at..at + taps]),
                    None => to.fill(T::ZERO),
                }
            }
        }
    }
}
