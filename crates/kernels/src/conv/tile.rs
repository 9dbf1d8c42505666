//! The part of the input a task reads, copied into scratch memory: mapped, with its border of zeros, and with columns
//! sorted by their remainder by the stride, so that neighbouring outputs read neighbouring pixels whatever the stride.

use super::sweep::Axis;
use crate::element::Element;
use crate::simd::{LANES, Vector};
use crate::view::View;
use std::ops::Range;

/// Where everything is in a tile: `[block][image][row][remainder][column]`, sixteen channels each.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) images: Range<usize>,
    /// Positions written, per axis, counted within a phase.
    pub(super) span: [Range<usize>; 2],
    /// Rows and columns of the input it holds, from which on; they may lie outside.
    low: [isize; 2],
    rows: usize,
    stride: [usize; 2],
    /// Columns of one remainder.
    columns: usize,
}

impl Tile {
    pub(super) fn new(axes: &[Axis; 2], images: Range<usize>, span: [Range<usize>; 2]) -> Self {
        let extent = |i: usize| {
            let (low, high) = axes[i].reach();
            let length = (span[i].len().max(1) - 1) * axes[i].stride + (high - low) as usize + 1;
            (low + (span[i].start * axes[i].stride) as isize, length)
        };
        let ((top, rows), (left, columns)) = (extent(0), extent(1));
        let stride = [axes[0].stride, axes[1].stride];
        Self { images, span, low: [top, left], rows, stride, columns: columns.div_ceil(stride[1]) }
    }

    /// Numbers per row.
    fn row(&self) -> usize {
        self.stride[1] * self.columns * LANES
    }

    /// Numbers per image of a block.
    pub(super) fn image(&self) -> usize {
        self.rows * self.row()
    }

    /// Numbers per block.
    pub(super) fn block(&self) -> usize {
        self.images.len() * self.image()
    }

    /// Positions it covers.
    pub(super) fn positions(&self) -> usize {
        self.images.len() * self.span[0].len() * self.span[1].len()
    }

    /// Where the window of position (`row`, `column`) starts, counted from the first the tile covers.
    #[inline(always)]
    pub(super) fn at(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.image() + row * self.stride[0] * self.row() + column * LANES
    }

    /// How far from there the pixel is that a tap of these offsets reads.
    pub(super) fn tap(&self, axes: &[Axis; 2], offset: [isize; 2]) -> usize {
        let [down, right] = [0, 1].map(|i| (offset[i] - axes[i].reach().0) as usize);
        let (remainder, column) = (right % self.stride[1], right / self.stride[1]);
        down * self.row() + (remainder * self.columns + column) * LANES
    }

    /// Fills `to` with `blocks` blocks of the input.
    #[inline(always)]
    pub(super) fn fill<V: Vector>(&self, input: &View<'_, V::Element>, blocks: Range<usize>, to: &mut [V::Element]) {
        let mut rows = to.chunks_exact_mut(self.row());
        for block in blocks {
            for image in self.images.clone() {
                for row in 0..self.rows {
                    let Some(to) = rows.next() else { return };
                    let row = self.low[0] + row as isize;
                    if row < 0 || row >= input.place.height as isize {
                        to.fill(V::Element::ZERO);
                    } else {
                        self.fill_row::<V>(input, [image, block, row as usize], to);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn fill_row<V: Vector>(
        &self,
        input: &View<'_, V::Element>,
        [image, block, row]: [usize; 3],
        to: &mut [V::Element],
    ) {
        let (width, step) = (input.place.width as isize, self.stride[1]);
        for (remainder, to) in to.chunks_exact_mut(self.columns * LANES).enumerate() {
            // Column `i` of this remainder is column `first + i · step` of the input; outside it is border.
            let first = self.low[1] + remainder as isize;
            let until = |column: isize| (column - first + step as isize - 1).div_euclid(step as isize);
            let from = until(0).clamp(0, self.columns as isize);
            let until = until(width).clamp(from, self.columns as isize);
            let column = (first + from * step as isize) as usize;
            let (from, until) = (from as usize, until as usize);
            to[..from * LANES].fill(V::Element::ZERO);
            if until > from {
                input.read_every::<V>([image, block, row, column], until - from, step, &mut to[from * LANES..]);
            }
            to[until * LANES..].fill(V::Element::ZERO);
        }
    }
}
