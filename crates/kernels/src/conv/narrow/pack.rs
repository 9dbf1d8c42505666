//! Weights in the order the micro-kernels take them.

use super::units::Units;
use crate::buffer::{Buffer, Shared};
use crate::conv::shape::{Bundles, Conv};
use crate::narrow::Format;
use crate::simd::{Dot, DotKernel, InstructionSet, LANES, Vector};
use crate::threads::for_each;

/// Packs all weights, and adds up those of each output.
pub(crate) fn pack<F: Format>(
    conv: &Conv,
    set: InstructionSet,
    units: Units,
    weights: &[F::Weight],
) -> (Buffer<f32>, Vec<i32>) {
    let bundles = conv.bundles();
    let blocks = bundles.outs.div_ceil(LANES);
    let taps = conv.kernel[0] * conv.kernel[1];
    let words = |channels: usize| channels.div_ceil(units.per_word);
    let depth = (bundles.ins / LANES * words(LANES) + words(bundles.ins % LANES)) * taps;
    let mut packed = Buffer::<f32>::zeros(bundles.count * blocks * depth * LANES);
    let mut wholes = vec![0; bundles.count * blocks * LANES];
    let (shared, sums) = (Shared::new(&mut packed), Shared::new(&mut wholes));
    let per_bundle = blocks.div_ceil(units.panels);
    for_each(bundles.count * per_bundle, |task| {
        let (bundle, first) = (task / per_bundle, task % per_bundle * units.panels);
        let width = units.panels.min(blocks - first);
        let start = bundle * blocks + first;
        // SAFETY: each task has a panel of its own.
        let (packed, wholes) = unsafe {
            let packed = shared.part(start * depth * LANES..(start + width) * depth * LANES);
            (packed, sums.part(start * LANES..(start + width) * LANES))
        };
        F::dispatch(set, Panel::<F> { conv, bundles, weights, bundle, first, width, packed, wholes });
    });
    (packed, wholes)
}

/// A panel of outputs to be packed.
struct Panel<'a, F: Format> {
    conv: &'a Conv,
    bundles: Bundles,
    weights: &'a [F::Weight],
    bundle: usize,
    /// Its first block of the bundle's.
    first: usize,
    /// Its blocks.
    width: usize,
    packed: &'a mut [f32],
    wholes: &'a mut [i32],
}

impl<F: Format> DotKernel<F> for Panel<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) {
        let Self { conv, bundles, weights, bundle, first, width, packed, wholes } = self;
        let taps = conv.kernel[0] * conv.kernel[1];
        let cells = packed.len() * D::PER_WORD;
        let to = packed.as_mut_ptr().cast::<D::Weight>();
        for (lane, whole) in wholes.iter_mut().enumerate() {
            let out = first * LANES + lane;
            if out >= bundles.outs {
                continue;
            }
            let out = bundle * bundles.outs + out;
            let inputs = conv.inputs_of(out);
            // Weights between groups stay zero.
            for input in inputs {
                let own = input - bundle * bundles.ins;
                let (block, channel) = (own / LANES, own % LANES);
                let words = LANES.min(bundles.ins - block * LANES).div_ceil(D::PER_WORD);
                let from = conv.weight_index(out, input, 0).map_or(&[][..], |at| &weights[at..at + taps]);
                for (tap, weight) in from.iter().enumerate() {
                    let word = block * D::WORDS * taps + tap * words + channel / D::PER_WORD;
                    let cell = (word * width * LANES + lane) * D::PER_WORD + channel % D::PER_WORD;
                    assert!(cell < cells);
                    // SAFETY: within the panel; a word is as long as its cells, and no cell needs more alignment.
                    unsafe { to.add(cell).write(D::Weight::from(*weight)) };
                    *whole += F::whole(*weight);
                }
            }
        }
    }
}
