//! Sums brought to the place of their weights.

use super::WeightSum;
use crate::buffer::Shared;
use crate::element::Element;
use crate::simd::{LANES, Multiply, ProductKernel};
use crate::transpose::{SharedRows, to_rows};

/// Copies the sums of a cell to the place of its weights.
pub(super) struct Unpack<'a, T> {
    pub(super) sum: &'a WeightSum<'a>,
    pub(super) task: usize,
    pub(super) cell: usize,
    pub(super) sums: &'a [T],
    pub(super) weights: Shared<'a, T>,
}

impl<T: Element> ProductKernel<T> for Unpack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let Self { sum, task, cell, sums, weights } = self;
        let own = sum.own(task);
        let ((panel, block), bundle) = (own.blocks_of(cell), own.bundle);
        let all = sum.conv.kernel[0] * sum.conv.kernel[1];
        let width = own.width(panel) * LANES;
        let inputs = LANES.min(sum.bundles.ins - block * LANES);
        let places = sum.sums_of(inputs, width);
        // Inputs of an output lie one behind the other, but only those of its group.
        let channels = bundle * sum.bundles.ins + block * LANES;
        let group = sum.conv.out_channels / sum.conv.groups;
        let end = (bundle + 1) * sum.bundles.outs;
        for lanes in (0..width).step_by(LANES) {
            // Without a tap that meets the input there are no sums, and every weight's gradient is zero.
            let sums = sums.get(lanes..).unwrap_or_default();
            let mut output = bundle * sum.bundles.outs + panel * LANES + lanes;
            let last = end.min(output + LANES);
            let first = output;
            // Outputs of one group at a time.
            while output < last {
                let until_output = last.min((output / group + 1) * group);
                let seen = sum.conv.inputs_of(output);
                let (from, until) = (seen.start.max(channels), seen.end.min(channels + inputs));
                if from < until
                    && let Some(start) = sum.conv.weight_index(output, from, 0)
                {
                    let stride = sum.conv.in_channels / sum.conv.groups * all;
                    let length = (until - from) * all;
                    let places = &places[(from - channels) * all..][..length];
                    let to = SharedRows { numbers: weights, start, stride };
                    // SAFETY: each cell has the weights between its own channels.
                    unsafe { to_rows::<M::Vector>(sums, places, output - first..until_output - first, &to) };
                }
                output = until_output;
            }
        }
    }
}
