//! Tiles of inputs and of gradients, transformed.

use super::super::super::tile::Tile;
use super::super::planes::{IN, PLANES};
use super::super::{STRIP, Start, store, transform_inputs};
use super::sum::{Group, Sum};
use crate::buffer::Shared;
use crate::conv::winograd::transforms::{Points as _, Six};
use crate::element::Element;
use crate::simd::{LANES, Multiply, ProductKernel, Vector, Whole};
use std::ops::Range;

/// Transforms some blocks of either side, of some tiles of a group.
pub(super) struct Transform<'a, T, const OUT: usize, const KERNEL: usize> {
    pub(super) sum: &'a Sum<'a, T, OUT, KERNEL>,
    pub(super) group: &'a Group<'a, T>,
    pub(super) tiles: Range<usize>,
    pub(super) blocks: [Range<usize>; 2],
    pub(super) scratch: &'a mut [T],
}

impl<T: Element, const OUT: usize, const KERNEL: usize> ProductKernel<T> for Transform<'_, T, OUT, KERNEL> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let Self { sum, group, tiles, blocks, scratch } = self;
        let [down, across] = sum.counts;
        let mut tile = tiles.start;
        while tile < tiles.end {
            let (image, y, x) = (tile / (down * across), tile / across % down, tile % across);
            let count = STRIP.min(across - x).min(tiles.end - tile);
            let span = [y * OUT..(y + 1) * OUT, x * OUT..(x + count) * OUT];
            let window = Tile::new(&sum.axes, image..image + 1, span);
            let mut starts = [Start::default(); STRIP];
            let starts = &mut starts[..count];
            for block in blocks[0].clone() {
                group.starts(0, block, tile, &sum.cut, starts);
                let (held, band) = scratch.split_at_mut(window.block());
                window.fill::<Whole<M::Vector>>(&sum.input, block..block + 1, held);
                transform_inputs::<M, OUT, true>(starts, held, band, group.planes[0], sum.plane(0));
            }
            for block in blocks[1].clone() {
                group.starts(1, block, tile, &sum.cut, starts);
                let (held, band) = scratch.split_at_mut(OUT * count * OUT * LANES);
                sum.read_gradients::<M::Vector>([image, block, y * OUT, x * OUT], count, held);
                transform_gradients::<M, OUT>(starts, held, band, group.planes[1], sum.plane(1));
            }
            tile += count;
        }
    }
}

impl<T: Element, const OUT: usize, const KERNEL: usize> Sum<'_, T, OUT, KERNEL> {
    /// Reads a block of gradients of `count` tiles beside each other, zeros where there are none.
    #[inline(always)]
    fn read_gradients<V: Vector<Element = T>>(
        &self,
        [image, block, row, column]: [usize; 4],
        count: usize,
        to: &mut [T],
    ) {
        let [height, width] = self.gradient.size();
        let columns = (count * OUT).min(width - column);
        for y in 0..OUT {
            let to = &mut to[y * count * OUT * LANES..][..count * OUT * LANES];
            let columns = if row + y < height { columns } else { 0 };
            self.gradient.read::<V>([image, block, row + y, column], columns, to);
            to[columns * LANES..].fill(T::ZERO);
        }
    }
}

/// Transforms a block of gradients of tiles beside each other as [`transform_inputs`] does inputs.
#[inline(always)]
fn transform_gradients<M: Multiply, const OUT: usize>(
    starts: &[Start],
    held: &[M::Number],
    band: &mut [M::Number],
    planes: Shared<'_, M::Number>,
    plane: usize,
) {
    let row = starts.len() * OUT * LANES;
    let (held, band) = (&held[..OUT * row], &mut band[..IN * row]);
    for at in (0..row).step_by(LANES) {
        let mut d = [M::Vector::zero(); OUT];
        for y in 0..OUT {
            // SAFETY: within `held`.
            d[y] = unsafe { M::Vector::load(held.as_ptr().add(y * row + at)) };
        }
        let d = Six::gradient(d);
        for y in 0..IN {
            // SAFETY: within `band`.
            unsafe { d[y].store(band.as_mut_ptr().add(y * row + at)) };
        }
    }
    for x in 0..starts.len() {
        let [start, which] = starts[x];
        // SAFETY: each block of the neighbouring tiles of a factor has a place of its own in each plane, and no two threads
        // transform tiles of one factor.
        let to = unsafe { planes.pointer(start..start + (PLANES - 1) * plane + LANES) };
        for y in 0..IN {
            let mut d = [M::Vector::zero(); OUT];
            for i in 0..OUT {
                // SAFETY: within `band`.
                d[i] = unsafe { M::Vector::load(band.as_ptr().add(y * row + (x * OUT + i) * LANES)) };
            }
            let d = Six::gradient(d);
            for i in 0..IN {
                // SAFETY: the bounds are checked above.
                unsafe { store::<M, true>(d[i], which, to.add((y * IN + i) * plane)) };
            }
        }
    }
}
