//! The part of the input a task reads, copied into scratch memory: mapped, with its border of zeros, and with columns
//! sorted by their remainder by the stride, so that neighbouring outputs read neighbouring pixels whatever the stride.

use super::few;
use super::sweep::Axis;
use crate::element::Element;
use crate::simd::{LANES, Multiply, Whole, cells};
use crate::view::View;
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
    rows: usize,
    stride: [usize; 2],
    /// Columns of one remainder.
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
        let extent = |i: usize| {
            let (stride, (low, high)) = axes[i];
            let length = (span[i].len().max(1) - 1) * stride + (high - low) as usize + 1;
            (low + (span[i].start * stride) as isize, length)
        };
        let ((top, rows), (left, columns)) = (extent(0), extent(1));
        let stride = [axes[0].0, axes[1].0];
        Self { images, span, along_images, low: [top, left], rows, stride, columns: columns.div_ceil(stride[1]) }
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
        self.stride[1] * self.columns * self.pixel()
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

    /// Rows and columns of an input of this size that it holds.
    pub(super) fn reads(&self, size: [usize; 2]) -> [Range<usize>; 2] {
        let lengths = [self.rows, self.columns * self.stride[1]];
        [0, 1].map(|axis| {
            let within = |position: isize| position.clamp(0, size[axis] as isize) as usize;
            within(self.low[axis])..within(self.low[axis] + lengths[axis] as isize)
        })
    }

    /// Positions it covers.
    pub(super) fn positions(&self) -> usize {
        self.images.len() * self.span[0].len() * self.span[1].len()
    }

    /// Where the window of position (`row`, `column`) starts, counted from the first the tile covers.
    #[inline(always)]
    pub(super) fn at(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.image() + row * self.stride[0] * self.row() + column * self.pixel()
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
        self.fill_from(&Mapped::<M>(input, PhantomData), blocks, [false; 2], cells::<M>(to));
    }

    /// The same from any input. Where only one offset is read along an axis, as `single` says, what lies between the
    /// positions read is left as it is.
    #[inline(always)]
    pub(super) fn fill_from<R: Rows>(&self, input: &R, blocks: Range<usize>, single: [bool; 2], to: &mut [R::Cell]) {
        let (rows, remainders) =
            (if single[0] { self.stride[0] } else { 1 }, if single[1] { 1 } else { self.stride[1] });
        for (block, to) in blocks.zip(to.chunks_exact_mut(self.block().max(1))) {
            for number in 0..self.images.len() {
                for row in (0..self.rows).step_by(rows) {
                    let start = number * self.image() + row * self.row();
                    let from = [self.images.start + number, block];
                    self.fill_row(input, from, (self.low[0] + row as isize, remainders), &mut to[start..]);
                }
            }
        }
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
                let row = (self.low[0] + row as isize, self.stride[1]);
                self.fill_row(&from, [self.images.start + number, 0], row, held);
                few::pack::<M>(held, &mut to[start / LANES * few::STEP..]);
            }
        }
    }

    #[inline(always)]
    fn fill_row<R: Rows>(
        &self,
        input: &R,
        [image, block]: [usize; 2],
        (row, remainders): (isize, usize),
        to: &mut [R::Cell],
    ) {
        let apart = self.pixel() / LANES;
        let [height, width] = input.size().map(|length| length as isize);
        let inside = row >= 0 && row < height;
        let (width, step) = (if inside { width } else { 0 }, self.stride[1]);
        for remainder in 0..remainders {
            let to = &mut to[remainder * self.columns * self.pixel()..];
            // Column `i` of this remainder is column `first + i · step` of the input; outside it is border.
            let first = self.low[1] + remainder as isize;
            let until = |column: isize| (column - first + step as isize - 1).div_euclid(step as isize);
            let from = until(0).clamp(0, self.columns as isize);
            let until = until(width).clamp(from, self.columns as isize);
            let column = (first + from * step as isize) as usize;
            let (from, until) = (from as usize, until as usize);
            for border in (0..from).chain(until..self.columns) {
                to[border * self.pixel()..][..LANES].fill(input.border());
            }
            if until > from {
                let at = [image, block, row as usize, column];
                input.read_every(at, until - from, [step, apart], &mut to[from * self.pixel()..]);
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
