//! The part of the input a task reads, copied into scratch memory: mapped, with its border of zeros, and with columns
//! sorted by their remainder by the stride, so that neighbouring outputs read neighbouring pixels whatever the stride.
//! Rows and columns that no window reads, as between the windows of a stride larger than the kernel, are left out.

use super::few;
use super::pairs;
use super::sweep::Axis;
use crate::element::Element;
use crate::region::Region;
use crate::simd::{LANES, Multiply, Vector, Whole, cells};
use crate::view::{Map, View};
use std::marker::PhantomData;
use std::ops::Range;

/// Rows of fewer positions leave the micro-kernel too little to do between two loads of weights.
pub(super) const SHORT: usize = 7;

/// Where everything is in a tile: `[block][image][row][remainder][column]`, sixteen channels each; where rows are short,
/// `[block][row][remainder][column][image]`, so that the micro-kernel goes along images.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) images: Range<usize>,
    /// Positions written, per axis, counted within a phase.
    pub(super) span: [Range<usize>; 2],
    /// Whether images are innermost.
    along_images: bool,
    /// Rows and columns of the input it holds, from which on; they may lie outside.
    low: [isize; 2],
    stride: [usize; 2],
    /// Rows and columns from the first that a window reads to the last.
    extent: [usize; 2],
    /// Rows it holds, and those of them between two rows of positions.
    rows: usize,
    row_step: usize,
    /// Remainders of a row, and columns of each.
    remainders: usize,
    columns: usize,
}

impl Tile {
    pub(super) fn new(axes: &[Axis; 2], images: Range<usize>, span: [Range<usize>; 2]) -> Self {
        Self::with([0, 1].map(|i| (axes[i].stride, axes[i].reach())), axes[1].count(), images, span)
    }

    /// The same, given the step between positions read and the lowest and highest offset along each axis, and how many
    /// columns are written in all.
    pub(super) fn with(
        axes: [(usize, (isize, isize)); 2],
        all_columns: usize,
        images: Range<usize>,
        span: [Range<usize>; 2],
    ) -> Self {
        let along_images = all_columns < SHORT && images.len() > all_columns;
        let extent = axes.map(|(_, (low, high))| (high - low) as usize + 1);
        let stride = axes.map(|(stride, _)| stride);
        let low = [0, 1].map(|i| axes[i].1.0 + (span[i].start * stride[i]) as isize);
        let [row_step, remainders] = [0, 1].map(|i| stride[i].min(extent[i]));
        let [before, right] = [0, 1].map(|i| span[i].len().max(1) - 1);
        let (rows, columns) = (before * row_step + extent[0], right + extent[1].div_ceil(stride[1]));
        Self { images, span, along_images, low, stride, extent, rows, row_step, remainders, columns }
    }

    /// Whether images lie side by side, innermost.
    pub(super) fn is_along_images(&self) -> bool {
        self.along_images
    }

    /// Numbers between two columns.
    fn pixel(&self) -> usize {
        if self.along_images { self.images.len() * LANES } else { LANES }
    }

    /// Numbers per row.
    pub(super) fn row(&self) -> usize {
        self.remainders * self.columns * self.pixel()
    }

    /// Numbers between two images.
    fn image(&self) -> usize {
        if self.along_images { LANES } else { self.rows * self.row() }
    }

    /// Numbers per block.
    pub(super) fn block(&self) -> usize {
        if self.along_images { self.rows * self.row() } else { self.images.len() * self.image() }
    }

    /// Runs of positions that lie one behind the other, of some rows and columns it covers: how many runs, and how many
    /// positions each.
    pub(super) fn runs(&self, [rows, columns]: [usize; 2]) -> [usize; 2] {
        let images = self.images.len();
        if self.along_images {
            [rows * columns, images]
        } else if rows * images == 1 || (rows == 1 && self.image() == columns * LANES) {
            [1, images * rows * columns]
        } else {
            [images * rows, columns]
        }
    }

    /// Where run number `run` starts.
    #[inline(always)]
    pub(super) fn run(&self, run: usize, [rows, columns]: [usize; 2]) -> usize {
        match self.along_images {
            true => self.at(0, run / columns, run % columns),
            false => self.at(run / rows, run % rows, 0),
        }
    }

    /// The row of run number `run`, counted from the first it covers.
    pub(super) fn run_row(&self, run: usize, [rows, columns]: [usize; 2]) -> usize {
        if self.along_images { run / columns } else { run % rows }
    }

    /// Whether a window of that row reads a row of the input, and not one of its border, at this offset.
    pub(super) fn is_inside(&self, row: usize, offset: isize, height: usize) -> bool {
        let read = ((self.span[0].start + row) * self.stride[0]) as isize + offset;
        (0..height as isize).contains(&read)
    }

    /// Which position, counted by runs, an image's row starts at, and how many positions lie between its columns.
    #[inline(always)]
    pub(super) fn position(&self, image: usize, row: usize, [rows, columns]: [usize; 2]) -> [usize; 2] {
        match self.along_images {
            true => [row * columns * self.images.len() + image, self.images.len()],
            false => [(image * rows + row) * columns, 1],
        }
    }

    /// Rows and columns of an input of this size from the first it holds to the last, and how far it is from one of these rows
    /// to the next, where a window has one.
    pub(super) fn reads(&self, size: [usize; 2]) -> ([Range<usize>; 2], usize) {
        let step = if self.extent[0] == 1 { self.stride[0] } else { 1 };
        let ranges = [0, 1].map(|axis| {
            let within = |position: isize| position.clamp(0, size[axis] as isize) as usize;
            let length = (self.span[axis].len().max(1) - 1) * self.stride[axis] + self.extent[axis];
            let end = self.low[axis] + length as isize;
            // Rows that lie before the input are left out whole steps at a time.
            let before = whole_steps(-self.low[axis], if axis == 0 { step } else { 1 });
            within(self.low[axis] + before)..within(end)
        });
        (ranges, step)
    }

    /// Images, rows and columns of positions it covers: tiles of one sweep that agree in these lie alike.
    pub(super) fn sizes(&self) -> [usize; 3] {
        [self.images.len(), self.span[0].len(), self.span[1].len()]
    }

    /// Positions it covers.
    pub(super) fn positions(&self) -> usize {
        self.images.len() * self.span[0].len() * self.span[1].len()
    }

    /// Where the window of position (`row`, `column`) starts, counted from the first the tile covers.
    #[inline(always)]
    pub(super) fn at(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.image() + row * self.row_step * self.row() + column * self.pixel()
    }

    /// How far from there the pixel is that a tap of these offsets reads.
    pub(super) fn tap(&self, offset: [isize; 2]) -> usize {
        let start = |i: usize| (self.span[i].start * self.stride[i]) as isize;
        let [down, right] = [0, 1].map(|i| (offset[i] + start(i) - self.low[i]) as usize);
        let (remainder, column) = (right % self.stride[1], right / self.stride[1]);
        down * self.row() + (remainder * self.columns + column) * self.pixel()
    }

    /// Fills `to` with `blocks` blocks of the input, as they are multiplied.
    #[inline(always)]
    pub(super) fn fill<M: Multiply>(&self, input: &View<'_, M::Number>, blocks: Range<usize>, to: &mut [M::Number]) {
        self.fill_from(&Mapped::<M>(input, PhantomData), blocks, cells::<M>(to));
    }

    /// The same from any input.
    #[inline(always)]
    pub(super) fn fill_from<R: Rows>(&self, input: &R, blocks: Range<usize>, to: &mut [R::Cell]) {
        // The micro-kernels read the tile by pointers.
        let (each, maps) = (self.rows * self.remainders * self.columns * LANES, self.images.len() * blocks.len());
        assert!(maps == 0 || each <= to.len() / maps, "{} numbers are too few for {maps} maps of {each}", to.len());
        for (block, to) in blocks.zip(to.chunks_exact_mut(self.block().max(1))) {
            for number in 0..self.images.len() {
                for row in 0..self.rows {
                    let start = number * self.image() + row * self.row();
                    let from = [self.images.start + number, block];
                    self.fill_row(input, from, self.input_row(row), &mut to[start..]);
                }
            }
        }
    }

    /// The row of the input, which may lie outside, of one of the rows it holds.
    #[inline(always)]
    fn input_row(&self, row: usize) -> isize {
        let position = match self.extent[0] < self.stride[0] {
            true => row / self.extent[0] * self.stride[0] + row % self.extent[0],
            false => row,
        };
        self.low[0] + position as isize
    }

    /// Fills `to` with the one block of an input of few channels, packed closer; `held` is memory for a row.
    #[inline(always)]
    pub(super) fn fill_few<M: Multiply>(
        &self,
        input: &View<'_, M::Number>,
        held: &mut [M::Number],
        to: &mut [M::Number],
    ) {
        let (held, to) = (&mut held[..self.row()], cells::<M>(to));
        for number in 0..self.images.len() {
            for row in 0..self.rows {
                let start = number * self.image() + row * self.row();
                let from = Mapped::<Whole<M::Vector>>(input, PhantomData);
                self.fill_row(&from, [self.images.start + number, 0], self.input_row(row), held);
                few::pack::<M>(held, &mut to[start / LANES * few::STEP..]);
            }
        }
    }

    /// Fills `to` with the channels of the input from a block on, one behind the other; `held` is memory for a row of a block.
    #[inline(always)]
    pub(super) fn fill_planes<V: Vector>(
        &self,
        input: &View<'_, V::Element>,
        (block, channels): (usize, usize),
        held: &mut [V::Element],
        to: &mut [V::Element],
    ) {
        let (held, plane) = (&mut held[..self.row()], pairs::plane(self));
        for first in (0..channels).step_by(LANES) {
            let (lanes, to) = (LANES.min(channels - first), &mut to[first * plane..]);
            for number in 0..self.images.len() {
                for row in 0..self.rows {
                    let start = (number * self.image() + row * self.row()) / LANES;
                    if let Map::Planar = input.map {
                        let from = [self.images.start + number, (block + first / LANES) * LANES];
                        self.copy_row(input, (from, lanes), self.input_row(row), to, [start, plane]);
                        continue;
                    }
                    let from = Mapped::<Whole<V>>(input, PhantomData);
                    self.fill_row(
                        &from,
                        [self.images.start + number, block + first / LANES],
                        self.input_row(row),
                        held,
                    );
                    pairs::lay_out::<V>(held, lanes, to, [start, plane]);
                }
            }
        }
    }

    /// Copies a row of some channels of pictures to `start` in each of their planes, which are `plane` numbers apart.
    fn copy_row<T: Element>(
        &self,
        input: &View<'_, T>,
        ([image, channel], channels): ([usize; 2], usize),
        row: isize,
        to: &mut [T],
        [start, plane]: [usize; 2],
    ) {
        let Region { channels: all, height, width, .. } = input.region;
        for lane in 0..channels {
            let map = (image * all + channel + lane) * height * width;
            for remainder in 0..self.remainders {
                let to = &mut to[lane * plane + start + remainder * self.columns..][..self.columns];
                let (within, column) = self.within(remainder, row, [height, width]);
                to[..within.start].fill(T::ZERO);
                to[within.end..].fill(T::ZERO);
                if within.is_empty() {
                    continue;
                }
                let from = &input.data[map + row as usize * width + column..];
                let to = &mut to[within];
                match self.stride[1] {
                    1 => to.copy_from_slice(&from[..to.len()]),
                    step => to.iter_mut().zip(from.iter().step_by(step)).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }

    /// The columns of a remainder that lie inside an input of this size, if `row` does, and where in the input the first is.
    /// Column `i` of a remainder is column `first + i · step` of the input.
    fn within(&self, remainder: usize, row: isize, size: [usize; 2]) -> (Range<usize>, usize) {
        let [height, width] = size.map(|length| length as isize);
        let (width, step) = (if (0..height).contains(&row) { width } else { 0 }, self.stride[1] as isize);
        let first = self.low[1] + remainder as isize;
        let until = |column: isize| (column - first + step - 1).div_euclid(step);
        let from = until(0).clamp(0, self.columns as isize);
        let until = until(width).clamp(from, self.columns as isize);
        (from as usize..until as usize, (first + from * step) as usize)
    }

    #[inline(always)]
    fn fill_row<R: Rows>(&self, input: &R, [image, block]: [usize; 2], row: isize, to: &mut [R::Cell]) {
        let apart = self.pixel() / LANES;
        for remainder in 0..self.remainders {
            let to = &mut to[remainder * self.columns * self.pixel()..];
            let (within, column) = self.within(remainder, row, input.size());
            for border in (0..within.start).chain(within.end..self.columns) {
                to[border * self.pixel()..][..LANES].fill(input.border());
            }
            if !within.is_empty() {
                let at = [image, block, row as usize, column];
                let steps = [self.stride[1], apart];
                input.read_every(at, within.len(), steps, &mut to[within.start * self.pixel()..]);
            }
        }
    }
}

/// What a tile is filled from.
pub(super) trait Rows {
    /// What it is filled with.
    type Cell: Copy;
    /// Height and width.
    fn size(&self) -> [usize; 2];
    /// What lies around it.
    fn border(&self) -> Self::Cell;
    /// Writes `pixels` pixels of a row, every `step[0]`-th from (`row`, `column`) on, to every `step[1]`-th of `to`.
    fn read_every(&self, at: [usize; 4], pixels: usize, step: [usize; 2], to: &mut [Self::Cell]);
}

/// A view, read as it is multiplied.
struct Mapped<'a, M: Multiply>(&'a View<'a, M::Number>, PhantomData<M>);

impl<M: Multiply> Rows for Mapped<'_, M> {
    type Cell = M::Cell;

    #[inline(always)]
    fn size(&self) -> [usize; 2] {
        self.0.size()
    }
    #[inline(always)]
    fn border(&self) -> M::Cell {
        M::cell(M::Number::ZERO)
    }
    #[inline(always)]
    fn read_every(&self, at: [usize; 4], pixels: usize, step: [usize; 2], to: &mut [M::Cell]) {
        self.0.read_cells::<M>(at, pixels, step, to);
    }
}

/// The least multiple of `step` that is at least `distance`, and 0 where that is negative.
fn whole_steps(distance: isize, step: usize) -> isize {
    (distance.max(0) as usize).next_multiple_of(step) as isize
}

/// How many of `count` things a part takes if it takes at most `most` and the parts are as even as can be.
pub(super) fn even(count: usize, most: usize) -> usize {
    count.div_ceil(count.div_ceil(most.max(1)).max(1)).max(1)
}

/// The largest tile for which `fits(images, [rows, columns])` holds: as many of `counts` columns as fit, then rows where
/// the columns are whole, then images, `most_images` at most, where both are. As even as can be.
pub(super) fn largest(
    counts: [usize; 2],
    most_images: usize,
    fits: impl Fn(usize, [usize; 2]) -> bool,
) -> (usize, [usize; 2]) {
    let most = |count: usize, fits: &dyn Fn(usize) -> bool| (1..=count).rev().find(|count| fits(*count)).unwrap_or(1);
    let [rows, columns] = counts.map(|count| count.max(1));
    let across = even(columns, most(columns, &|columns| fits(1, [1, columns])));
    if across < columns {
        return (1, [1, across]);
    }
    let down = even(rows, most(rows, &|rows| fits(1, [rows, across])));
    if down < rows {
        return (1, [down, across]);
    }
    (most(most_images, &|images| fits(images, [down, across])), [down, across])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels of a tile of so many positions along each axis, where windows of this extent are so far apart.
    fn pixels(stride: usize, extent: usize, positions: usize) -> usize {
        let span = [0..positions, 0..positions];
        Tile::with([(stride, (0, extent as isize - 1)); 2], positions, 0..1, span).block() / LANES
    }

    #[test]
    fn rows_that_are_read_are_asked_for() {
        let tile = |low: isize, extent: isize| {
            let axis = (2, (low, low + extent - 1));
            Tile::with([axis; 2], 5, 0..1, [0..5, 0..5]).reads([8, 8])
        };
        assert_eq!(tile(0, 1), ([0..8, 0..8], 2));
        assert_eq!(tile(-1, 1), ([1..8, 0..8], 2));
        assert_eq!(tile(-1, 3), ([0..8, 0..8], 1));
    }

    #[test]
    fn what_no_window_reads_is_left_out() {
        assert_eq!(pixels(2, 1, 28), 28 * 28);
        assert_eq!(pixels(3, 2, 5), 10 * 10);
        // Windows that meet leave out nothing, but a row is whole columns of each remainder.
        assert_eq!(pixels(2, 3, 10), 21 * 22);
        assert_eq!(pixels(1, 3, 10), 12 * 12);
    }
}
