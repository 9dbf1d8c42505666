//! The shapes of a convolution: of its input, its output and its weights, and its groups of channels.

use crate::region::Region;
use crate::simd::LANES;

/// A convolution (cross-correlation) of maps; pairs are `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Groups of channels that do not see each other; divides both.
    pub groups: usize,
    /// Extent of the kernel in taps.
    pub kernel: [usize; 2],
    /// Step between two windows.
    pub stride: [usize; 2],
    /// Rows and columns of zeros on either side.
    pub padding: [usize; 2],
    /// Distance between two taps.
    pub dilation: [usize; 2],
}

/// Numbers that padded maps may have at most: twice as many fit the address space.
const MOST_NUMBERS: usize = isize::MAX as usize / (2 * size_of::<f32>());

impl Conv {
    /// Height and width of the output; `None` where the kernel is larger than the padded input, the kernel or a stride is
    /// 0, the groups do not divide the channels, or a stride or maps of the padded input's size are longer than memory can be.
    pub fn output(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        if !self.is_grouped() {
            return None;
        }
        let padded = |i: usize| self.padding[i].checked_mul(2)?.checked_add(input[i]);
        let channels = self.in_channels.max(self.out_channels).checked_next_multiple_of(LANES)?;
        // No tile is larger, so no size or distance in one wraps around.
        let numbers = padded(0)?.checked_mul(padded(1)?)?.checked_mul(channels)?;
        if numbers > MOST_NUMBERS || self.stride.iter().any(|stride| *stride > MOST_NUMBERS) {
            return None;
        }
        let axis = |i: usize| {
            let extent = self.kernel[i].checked_sub(1)?.checked_mul(self.dilation[i])?.checked_add(1)?;
            Some(padded(i)?.checked_sub(extent)?.checked_div(self.stride[i])? + 1)
        };
        Some([axis(0)?, axis(1)?])
    }

    /// Whether there are groups, and they divide the channels.
    pub(super) fn is_grouped(&self) -> bool {
        let divides = |channels: usize| channels.is_multiple_of(self.groups);
        self.groups > 0 && divides(self.in_channels) && divides(self.out_channels)
    }

    /// Number of weights, in the order `(out, in / groups, height, width)`; the largest number there is where they are more,
    /// and none of no groups.
    pub fn weights(&self) -> usize {
        let sizes = [self.in_channels.checked_div(self.groups).unwrap_or(0), self.kernel[0], self.kernel[1]];
        sizes.iter().fold(self.out_channels, |product, size| product.saturating_mul(*size))
    }

    pub(super) fn check(&self, input: &Region, output: &Region, weights: usize) {
        let channels = [input.channels, output.channels, weights];
        assert_eq!(channels, [self.in_channels, self.out_channels, self.weights()]);
        assert_eq!(input.batch, output.batch, "{input:?} and {output:?} are of different batches");
        let size = self.output([input.height, input.width]);
        assert_eq!(size, Some([output.height, output.width]), "{output:?} is not what {self:?} makes of {input:?}");
    }

    /// Whether it is a product of pixels as they lie with a matrix: each map is then one long row.
    pub(crate) fn is_matrix_product(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }

    /// Bundles of groups that fill whole blocks of channels, in and out; all groups in one where none do. Within a
    /// bundle the convolution is computed as a dense one with zeros between its groups.
    pub(crate) fn bundles(&self) -> Bundles {
        let (ins, outs) = (self.in_channels / self.groups, self.out_channels / self.groups);
        let fills = |groups: &usize| {
            self.groups.is_multiple_of(*groups)
                && (groups * ins).is_multiple_of(LANES)
                && (groups * outs).is_multiple_of(LANES)
        };
        let groups = (1..self.groups).find(fills).unwrap_or(self.groups);
        Bundles { count: self.groups / groups, ins: groups * ins, outs: groups * outs }
    }

    /// The input channels an output channel sees.
    pub(super) fn inputs_of(&self, out: usize) -> std::ops::Range<usize> {
        let (ins, outs) = (self.in_channels / self.groups, self.out_channels / self.groups);
        out / outs * ins..(out / outs + 1) * ins
    }

    /// Where the weight between an output and an input channel at a tap is; nowhere between groups.
    #[inline(always)]
    pub(crate) fn weight_index(&self, out: usize, input: usize, tap: usize) -> Option<usize> {
        let (ins, outs) = (self.in_channels / self.groups, self.out_channels / self.groups);
        if self.groups > 1 && out / outs != input / ins {
            return None;
        }
        Some((out * ins + input % ins) * self.kernel[0] * self.kernel[1] + tap)
    }
}

/// Equal bundles of channels that are convolved apart from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bundles {
    pub(crate) count: usize,
    /// Channels read, per bundle.
    pub(crate) ins: usize,
    /// Channels written, per bundle.
    pub(crate) outs: usize,
}
