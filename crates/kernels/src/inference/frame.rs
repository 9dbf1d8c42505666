//! The part of a convolution's input that a task reads, where it cannot be read as it lies: with a border of zeros, with
//! its map applied, and with columns sorted by their remainder by the stride, so that neighbouring outputs read
//! neighbouring pixels.

use super::arena::{Arena, Place};
use super::input::Affine;
use crate::conv::Conv;
use crate::simd::{LANES, Vector};

/// Numbers of a pixel of a picture of few channels: four pixels a cache line.
pub(super) const FEW: usize = 4;

/// How frames of a convolution lie: `[block][row][remainder][column]`, full rows of a map. All of them alike but for the
/// number of rows.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    stride: [usize; 2],
    padding: [usize; 2],
    /// Height and width of the input.
    size: [usize; 2],
    /// Rows and columns of a window, the gaps of dilation included.
    extent: [usize; 2],
    /// Rows of the frame between two rows of outputs: rows that no window reads are left out.
    pub(super) row_step: usize,
    remainders: usize,
    /// Columns of a remainder.
    columns: usize,
}

impl Frame {
    pub(super) fn new(conv: &Conv, size: [usize; 2], output_width: usize) -> Self {
        let extent = [0, 1].map(|i| conv.dilation[i] * (conv.kernel[i] - 1) + 1);
        Self {
            stride: conv.stride,
            padding: conv.padding,
            size,
            extent,
            row_step: conv.stride[0].min(extent[0]),
            remainders: conv.stride[1].min(extent[1]),
            columns: output_width + (extent[1] - 1) / conv.stride[1],
        }
    }

    /// Pixels of a row.
    pub(super) fn row(&self) -> usize {
        self.remainders * self.columns
    }

    /// Rows for so many rows of outputs.
    fn rows(&self, outputs: usize) -> usize {
        (outputs - 1) * self.row_step + self.extent[0]
    }

    /// Pixels of a block for so many rows of outputs.
    pub(super) fn block(&self, outputs: usize) -> usize {
        self.rows(outputs) * self.row()
    }

    /// The pixel that the window of the first output reads at a tap.
    pub(super) fn tap(&self, conv: &Conv, [down, right]: [usize; 2]) -> usize {
        let [down, right] = [down * conv.dilation[0], right * conv.dilation[1]];
        let (remainder, column) = (right % self.stride[1], right / self.stride[1]);
        down * self.row() + remainder * self.columns + column
    }

    /// The row of the input, which may be border, of a row of the frame whose outputs begin at `first`.
    #[inline(always)]
    fn input_row(&self, first: usize, row: usize) -> Option<usize> {
        let (output, within) = match self.extent[0] < self.stride[0] {
            true => (first + row / self.extent[0], row % self.extent[0]),
            false => (first, row),
        };
        (output * self.stride[0] + within).checked_sub(self.padding[0]).filter(|row| *row < self.size[0])
    }

    /// Of the columns of a remainder: those before the map, those up to its end, and the input's column of the first.
    #[inline(always)]
    fn inside(&self, remainder: usize) -> (usize, usize, usize) {
        let step = self.stride[1];
        let until = |column: usize| (column + self.padding[1]).saturating_sub(remainder).div_ceil(step);
        let from = until(0).min(self.columns);
        let to = until(self.size[1]).clamp(from, self.columns);
        (from, to, (from * step + remainder).saturating_sub(self.padding[1]))
    }

    /// Fills `to` with some blocks of an image, for the outputs' rows from `first` on.
    ///
    /// # Safety
    ///
    /// The place is not written meanwhile.
    #[inline(always)]
    pub(super) unsafe fn fill<V: Vector<Element = f32>>(
        &self,
        (arena, place, map): (&Arena<'_>, &Place, Option<&Affine>),
        image: usize,
        blocks: std::ops::Range<usize>,
        [first, outputs]: [usize; 2],
        to: &mut [f32],
    ) {
        let start = arena.at(place, image).cast_const();
        let length = self.block(outputs) * LANES;
        // The micro-kernel reads the frame by pointers.
        assert!(blocks.len() * length <= to.len(), "{} numbers are too few for a frame", to.len());
        for (block, to) in blocks.zip(to.chunks_exact_mut(length)) {
            let from = start.wrapping_add(block * place.plane());
            for (row, to) in to.chunks_exact_mut(self.row() * LANES).enumerate() {
                let Some(row) = self.input_row(first, row) else {
                    to.fill(0.0);
                    continue;
                };
                let from = from.wrapping_add(row * place.size[1] * LANES);
                for (remainder, to) in to.chunks_exact_mut(self.columns * LANES).enumerate() {
                    let (left, right, column) = self.inside(remainder);
                    to[..left * LANES].fill(0.0);
                    to[right * LANES..].fill(0.0);
                    let to = &mut to[left * LANES..right * LANES];
                    // SAFETY: these columns are within the row.
                    unsafe { copy::<V>(from.wrapping_add(column * LANES), self.stride[1], map, block, to) };
                }
            }
        }
    }

    /// Fills `to` with a picture of at most [`FEW`] channels, [`FEW`] numbers a pixel.
    pub(super) fn fill_few(
        &self,
        picture: &[f32],
        channels: usize,
        map: Option<&Affine>,
        [first, outputs]: [usize; 2],
        to: &mut [f32],
    ) {
        let [height, width] = self.size;
        let to = &mut to[..self.block(outputs) * FEW];
        for (row, to) in to.chunks_exact_mut(self.row() * FEW).enumerate() {
            to.fill(0.0);
            let Some(row) = self.input_row(first, row) else { continue };
            for (remainder, to) in to.chunks_exact_mut(self.columns * FEW).enumerate() {
                let (left, right, column) = self.inside(remainder);
                for channel in 0..channels {
                    let (scale, shift) = map.map_or((1.0, 0.0), |map| (map.scale[channel], map.shift[channel]));
                    let floor = map.map_or(f32::NAN, |map| map.floor[channel]);
                    let from = &picture[(channel * height + row) * width..][..width];
                    let from = from[column.min(width)..].iter().step_by(self.stride[1]);
                    let to = to[left * FEW..right * FEW].chunks_exact_mut(FEW);
                    match map {
                        None => to.zip(from).for_each(|(to, x)| to[channel] = *x),
                        Some(_) => to.zip(from).for_each(|(to, x)| {
                            let x = x * scale + shift;
                            to[channel] = if floor > x { floor } else { x };
                        }),
                    }
                }
            }
        }
    }
}

/// Copies every `step`-th pixel of a block, mapped, until `to` is full.
///
/// # Safety
///
/// `from` must be valid for reading them.
#[inline(always)]
pub(super) unsafe fn copy<V: Vector<Element = f32>>(
    from: *const f32,
    step: usize,
    map: Option<&Affine>,
    block: usize,
    to: &mut [f32],
) {
    // SAFETY: whole pixels of `to`, and of `from` as the caller says.
    unsafe {
        match map {
            None => {
                for i in (0..to.len()).step_by(LANES) {
                    V::load(from.add(i * step)).store(to.as_mut_ptr().add(i));
                }
            }
            Some(map) => {
                let [scale, shift, floor] = map.of_block::<V>(block);
                for i in (0..to.len()).step_by(LANES) {
                    let x = V::load(from.add(i * step)).mul_add(scale, shift).at_least(floor);
                    x.store(to.as_mut_ptr().add(i));
                }
            }
        }
    }
}
