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
    for_each(bundles.count * per_bundle, |task| {
        let (bundle, first) = (task / per_bundle, task % per_bundle * panels);
        let width = panels.min(blocks - first) * LANES;
        let start = bundle * len + first * LANES * depth;
        // SAFETY: each task has a panel of its own.
        let panel = unsafe { shared.part(start..start + width * depth) };
        let mut vectors = panel.chunks_exact_mut(width);
        for block in (0..bundles.ins).step_by(LANES) {
            for (tap, _) in taps {
                for input in block..(block + LANES).min(bundles.ins) {
                    let Some(to) = vectors.next() else { return };
                    for (lane, to) in to.iter_mut().enumerate() {
                        let output = first * LANES + lane;
                        *to = match output < bundles.outs {
                            true => correlation.weight(weights, bundle, output, input, *tap),
                            false => T::ZERO,
                        };
                    }
                }
            }
        }
    });
}
