//! Sums brought back to weights.

use super::super::planes::{IN, PLANES};
use super::sum::{Sum, Sums};
use crate::buffer::Shared;
use crate::conv::winograd::transforms::{Points as _, Six};
use crate::element::Element;
use crate::simd::{LANES, Multiply, ProductKernel, Vector};
use crate::transpose::{SharedRows, to_rows};
use std::ops::Range;

/// Transforms the sums between some blocks of inputs and panels back to weights: `slices[0]` sums at a distance of
/// `slices[1]`, added up in their order.
pub(super) struct Invert<'a, T, const OUT: usize, const KERNEL: usize> {
    pub(super) sum: &'a Sum<'a, T, OUT, KERNEL>,
    pub(super) blocks: Range<usize>,
    pub(super) panels: Range<usize>,
    pub(super) sums: Sums<'a, T>,
    pub(super) slices: [usize; 2],
    pub(super) collected: &'a mut [T],
    pub(super) weights: Shared<'a, T>,
}

impl<T: Element, const OUT: usize, const KERNEL: usize> ProductKernel<T> for Invert<'_, T, OUT, KERNEL> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        for panel in self.panels.clone() {
            for block in self.blocks.clone() {
                self.sum.invert::<M::Vector>([block, panel], &self.sums, self.slices, self.collected);
                self.sum.unpack::<M::Vector>([block, panel], self.collected, self.weights);
            }
        }
    }
}

impl<T: Element, const OUT: usize, const KERNEL: usize> Sum<'_, T, OUT, KERNEL> {
    /// Transforms sums back to `[input][tap][output]`.
    #[inline(always)]
    fn invert<V: Vector<Element = T>>(
        &self,
        [block, panel]: [usize; 2],
        sums: &Sums<'_, T>,
        [slices, slice]: [usize; 2],
        to: &mut [T],
    ) {
        let width = self.width(panel) * LANES;
        let (start, plane) = (self.sums_at(sums, block, panel), LANES * width);
        // SAFETY: nothing is written to the sums meanwhile.
        let from = unsafe { sums.shared.pointer(start..start + (slices - 1) * slice + PLANES * plane) };
        let to = &mut to[..self.inputs(block) * Self::TAPS * width];
        for vector in 0..self.inputs(block) * width / LANES {
            let (input, lanes) = (vector * LANES / width, vector * LANES % width);
            let mut half = [[V::zero(); IN]; KERNEL];
            for x in 0..IN {
                let mut m = [V::zero(); IN];
                for y in 0..IN {
                    // SAFETY: each plane of each slice has a row of the panel for each input; bounds are checked above.
                    unsafe {
                        let from = from.add((y * IN + x) * plane + input * width + lanes);
                        let mut value = V::load(from);
                        for number in 1..slices {
                            value = value.add(V::load(from.add(number * slice)));
                        }
                        m[y] = value;
                    }
                }
                let m = Six::weights::<V, KERNEL>(m);
                for j in 0..KERNEL {
                    half[j][x] = m[j];
                }
            }
            for j in 0..KERNEL {
                let row = Six::weights::<V, KERNEL>(half[j]);
                for i in 0..KERNEL {
                    // SAFETY: within `to`, a row for each tap of each input.
                    unsafe { row[i].store(to.as_mut_ptr().add((input * Self::TAPS + j * KERNEL + i) * width + lanes)) };
                }
            }
        }
    }

    /// Copies `[input][tap][output]` to the place of the weights.
    #[inline(always)]
    fn unpack<V: Vector<Element = T>>(&self, [block, panel]: [usize; 2], from: &[T], weights: Shared<'_, T>) {
        let (width, first) = (self.width(panel) * LANES, panel * self.panels * LANES);
        let mut places = [[[0; KERNEL]; KERNEL]; LANES];
        let places = &mut places.as_flattened_mut().as_flattened_mut()[..self.inputs(block) * Self::TAPS];
        places.iter_mut().enumerate().for_each(|(number, region)| *region = number * width);
        let stride = self.channels[0] * Self::TAPS;
        for lanes in (first..self.channels[1].min(first + width)).step_by(LANES) {
            let start = lanes * stride + block * LANES * Self::TAPS;
            let count = LANES.min(self.channels[1] - lanes);
            let to = SharedRows { numbers: weights, start, stride };
            // SAFETY: the weights between a block and a panel are written once.
            unsafe { to_rows::<V>(&from[lanes - first..], places, 0..count, &to) };
        }
    }
}
