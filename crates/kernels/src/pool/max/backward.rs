//! Gradients sent back to the maxima.

use super::super::{Cover, rows, rows_scratch};
use crate::element::Element;
use crate::pieces::{At, Fill};
use crate::region::Region;
use crate::simd::{LANES, Vector};
use crate::view::View;

pub(super) struct Backward<'a, T> {
    pub(super) gradient: View<'a, T>,
    /// What counts towards the tap's number.
    pub(super) axes: &'a [Cover<T>; 2],
    /// Of windows that have no position in common, the columns of each, with what counts towards the tap's number.
    pub(super) columns: &'a [Vec<(usize, T)>],
    pub(super) winners: &'a [u8],
    pub(super) region: Region,
    /// Columns of the input.
    pub(super) width: usize,
}

impl<T: Element> Fill<T> for Backward<'_, T> {
    fn scratch(&self, at: &At) -> usize {
        let rows = at.pixels.start / self.width..at.pixels.end / self.width;
        rows_scratch(&self.gradient, &self.axes[0].outputs(&rows))
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]) {
        let pixels = at.pixels.len();
        let down = at.pixels.start / self.width..at.pixels.end / self.width;
        let reads = self.axes[0].outputs(&down);
        let width = self.region.width;
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let block = at.blocks.start + number;
            let gradient = rows::<V>(&self.gradient, [at.image, block], &reads, &mut *scratch);
            let start = self.region.at(at.image, block, 0, 0) + reads.start * width * LANES;
            let winners = &self.winners[start.min(self.winners.len())..][..gradient.len()];
            let outputs = Outputs { gradient: gradient.as_chunks().0, winners: winners.as_chunks().0 };
            let rows = results.as_chunks_mut().0.chunks_exact_mut(self.width);
            for (y, to) in down.clone().zip(rows) {
                let above = self.axes[0].at(y);
                if self.columns.is_empty() {
                    for (x, to) in to.iter_mut().enumerate() {
                        outputs.sum::<V>(above, self.axes[1].at(x), [reads.start, width], to);
                    }
                    continue;
                }
                to.as_flattened_mut().fill(T::ZERO);
                for (row, above) in above {
                    let first = (row - reads.start) * width;
                    for (column, positions) in self.columns.iter().enumerate() {
                        outputs.send::<V>(first + column, *above, positions, to);
                    }
                }
            }
        }
    }
}

/// Some rows of a block of the gradient, with the winners.
#[derive(Clone, Copy)]
struct Outputs<'a, T> {
    gradient: &'a [[T; LANES]],
    winners: &'a [[u8; LANES]],
}

impl<T: Element> Outputs<'_, T> {
    /// Gradient and winner of an output.
    #[inline(always)]
    fn at<V: Vector<Element = T>>(&self, output: usize) -> (V, V) {
        // SAFETY: sixteen numbers and bytes.
        unsafe { (V::load(self.gradient[output].as_ptr()), V::load_bytes(self.winners[output].as_ptr())) }
    }

    /// Writes the sum of what a position wins. The first row is `rows[0]`; a row has `rows[1]` outputs.
    #[inline(always)]
    fn sum<V: Vector<Element = T>>(
        &self,
        above: &[(usize, T)],
        right: &[(usize, T)],
        rows: [usize; 2],
        to: &mut [T; LANES],
    ) {
        let mut sum = V::zero();
        for (row, above) in above {
            for (column, tap) in right {
                let (gradient, winner) = self.at::<V>((row - rows[0]) * rows[1] + column);
                sum = gradient.where_equal(winner, V::splat(*above + *tap)).add(sum);
            }
        }
        // SAFETY: sixteen numbers.
        unsafe { sum.store(to.as_mut_ptr()) };
    }

    /// Writes what each position of a window wins, where no other window has it.
    #[inline(always)]
    fn send<V: Vector<Element = T>>(&self, output: usize, above: T, positions: &[(usize, T)], to: &mut [[T; LANES]]) {
        let (gradient, winner) = self.at::<V>(output);
        for (position, tap) in positions {
            let won = gradient.where_equal(winner, V::splat(above + *tap)).add(V::zero());
            // SAFETY: sixteen numbers.
            unsafe { won.store(to[*position].as_mut_ptr()) };
        }
    }
}
