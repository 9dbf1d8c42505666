//! Products of transformed tiles, added to sums.

use super::super::super::micro::{self, Runs, SumRow};
use super::cut::PIECE;
use super::sum::{Group, Sum, Sums};
use crate::element::Element;
use crate::prefetch::{Grid, Lines};
use crate::simd::{LANES, Multiply as Multiplying, ProductKernel, Vector};
use std::ops::Range;

/// Adds the products of some blocks of inputs and panels of outputs in some planes, over a group of tiles, to their sums.
pub(super) struct Multiply<'a, T, const OUT: usize, const KERNEL: usize> {
    pub(super) sum: &'a Sum<'a, T, OUT, KERNEL>,
    pub(super) group: &'a Group<'a, T>,
    pub(super) parts: Range<usize>,
    pub(super) blocks: Range<usize>,
    pub(super) panels: Range<usize>,
    pub(super) sums: Sums<'a, T>,
    /// Whether the sums hold nothing yet.
    pub(super) fresh: bool,
}

impl<T: Element, const OUT: usize, const KERNEL: usize> ProductKernel<T> for Multiply<'_, T, OUT, KERNEL> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiplying<Number = T>>(self) {
        let Self { sum, group, ref parts, ref blocks, ref panels, sums, fresh } = self;
        let tiles = group.tiles.len().div_ceil(M::DEPTH);
        let mut places = [SumRow::default(); LANES];
        for lane in 0..LANES {
            places[lane] = SumRow { input: lane, sums: lane };
        }
        let run = sum.cut.run() * LANES;
        let piece = tiles.div_ceil(tiles.div_ceil(PIECE).max(1)).max(1);
        for number in parts.clone() {
            let start = number * sum.plane(0);
            // SAFETY: nothing is written to the planes meanwhile.
            let inputs = unsafe { group.planes[0].pointer(start..start + sum.cut.at_once[0] * run) };
            let start = number * sum.plane(1);
            // SAFETY: as above.
            let gradients = unsafe { group.planes[1].pointer(start..start + sum.cut.at_once[1] * run) };
            let mut first = 0;
            while first < tiles || (fresh && first == 0) {
                let factors = piece.min(tiles - first);
                let mut ahead = match first + piece < tiles {
                    true => self.ahead(number, first + piece..tiles.min(first + 2 * piece)),
                    false if number + 1 < parts.end => self.ahead(number + 1, 0..piece.min(tiles)),
                    false => [Grid::NONE, Grid::NONE],
                };
                for panel in panels.clone() {
                    let width = sum.width(panel);
                    for block in blocks.clone() {
                        let length = LANES * width * LANES;
                        let start = sum.sums_at(&sums, block, panel) + number * length;
                        // SAFETY: tasks divide planes, blocks and panels among them, or have sums of their own.
                        let sums = unsafe { sums.shared.part(start..start + length) };
                        if fresh && first == 0 {
                            sums.fill(T::ZERO);
                        }
                        let mut runs = Runs { starts: &[[0, 0]], factors, block: run, ahead: Lines::NONE };
                        let mut row = 0;
                        while row < sum.inputs(block) {
                            let rows = M::Vector::ROWS.min(sum.inputs(block) - row);
                            runs.ahead = ahead[usize::from(row > 0)].take();
                            // SAFETY: the planes hold all tiles of the block and of the panel; `sums` holds sixteen
                            // inputs of the panel; sizes are within what the vectors say.
                            unsafe {
                                micro::outer::<M, 1>(
                                    &places[row..row + rows],
                                    width,
                                    inputs.add((block - group.first[0]) * run + first * LANES),
                                    gradients.add((panel * sum.panels - group.first[1]) * run + first * LANES),
                                    &runs,
                                    sums.as_mut_ptr(),
                                );
                            }
                            row += rows;
                        }
                    }
                }
                first += piece;
            }
        }
    }
}

impl<'a, T: Element, const OUT: usize, const KERNEL: usize> Multiply<'a, T, OUT, KERNEL> {
    /// Some factors of the blocks of either side in a plane, to be asked for while others are multiplied: where tasks share a
    /// group, its planes are in no cache of theirs.
    #[inline(always)]
    fn ahead(&self, plane: usize, factors: Range<usize>) -> [Grid; 2] {
        let sum = self.sum;
        if sum.cut.slices > 0 {
            return [Grid::NONE, Grid::NONE];
        }
        let outputs = self.panels.start * sum.panels..sum.blocks(1).min(self.panels.end * sum.panels);
        let [run, times] = [sum.cut.run() * LANES, self.blocks.len() * self.panels.len()];
        let grid = |side: usize, blocks: Range<usize>| {
            let start = plane * sum.plane(side) + (blocks.start - self.group.first[side]) * run + factors.start * LANES;
            let from = self.group.planes[side].start().wrapping_add(start);
            Grid::new(from, run, [blocks.len(), factors.len() * LANES], times)
        };
        [grid(0, self.blocks.clone()), grid(1, outputs)]
    }
}
