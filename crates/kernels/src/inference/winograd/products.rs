//! The matrix products with a panel of filters, and the way back to pixels.
#![allow(clippy::needless_range_loop)] // Indices run over registers that must stay registers.

use super::scheme::{F2x3, F2x5, F4x3, F4x7, MOST, One, Scheme, with_scheme};
use super::tiles::Tiles;
use super::{Winograd, filters, with_number};
use crate::conv::odd;
use crate::inference::algorithm::{ConvAlgorithm, Filters};
use crate::inference::arena::Arena;
use crate::inference::epilogue::Epilogue;
use crate::inference::micro::{Depth, product};
use crate::inference::packed::Packed;
use crate::inference::step::Convolution;
use crate::narrow::Stored;
use crate::prefetch::Lines;
use crate::simd::{LANES, Vector};
use std::ops::Range;

impl Winograd {
    /// A panel of outputs of some tiles: `first` is the number of the first of them among those of all images.
    #[inline(always)]
    pub(super) unsafe fn panel<V: Vector<Element = f32>>(
        &self,
        (step, packed): (&Convolution, &Packed),
        arena: &Arena<'_>,
        (panel, after): (usize, Option<Lines>),
        (tiles, planes, range): (Tiles, *const f32, Range<usize>),
        first: usize,
        scratch: &mut [f32],
    ) {
        let blocks = self.panels.min(self.out_blocks() - panel * self.panels);
        let all = packed.weights.get();
        let filters = &all[panel * self.panel_len()..];
        let product_plane = odd(blocks * range.len()) * LANES;
        let (products, own) = scratch.split_at_mut(self.planes() * product_plane);
        let chunks = range.len().div_ceil(V::PIXELS).max(1);
        for first in (0..self.ins).step_by(self.depth()) {
            let channels = self.depth().min(self.ins - first);
            let last = first + channels == self.ins;
            let mut next = match after {
                Some(after) if last && (after.count() > 0 || self.filters == Filters::Transformed) => after,
                _ => self.next_filters(filters, first + channels, blocks, range.end == tiles.count),
            };
            let filters = match self.filters {
                Filters::Transformed => filters,
                Filters::Plain => {
                    let filter = self.tile.taps() * blocks * LANES;
                    let from = &filters[first * filter..][..channels * filter];
                    let to = &mut own[..self.planes() * self.filter_plane()];
                    with_scheme!(self.algorithm, D, A => {
                        filters::transform::<V, D, A>(from, blocks, (to, self.filter_plane()), &mut next);
                    });
                    &*to
                }
            };
            let share = next.share(self.planes() * chunks);
            for plane in 0..self.planes() {
                let weights = filters[plane * self.filter_plane()..][..channels * blocks * LANES].as_ptr();
                let from = planes.wrapping_add(plane * self.plane(tiles.count));
                let to = products[plane * product_plane..][..product_plane].as_mut_ptr();
                let mut tile = range.start;
                while tile < range.end {
                    let chunk = tiles.chunk_of::<V>(tile);
                    let depth = Depth {
                        taps: &[0],
                        left_out: [0, 0],
                        channels,
                        block: chunk.len() * LANES,
                        ahead: next.take(share),
                        next_pixels: 0,
                    };
                    let input = chunk.start * tiles.in_blocks + first / LANES * chunk.len();
                    let input = from.wrapping_add(input * LANES);
                    let to = to.wrapping_add((chunk.start - range.start) * LANES);
                    let epilogue = Epilogue::plain(to, range.len() * LANES, first > 0);
                    // SAFETY: all blocks of all tiles have been transformed; `products` has room for those of the range.
                    unsafe { product::<V, LANES>((chunk.len(), blocks), input, &depth, weights, &epilogue) }
                    tile = chunk.end;
                }
            }
        }
        let products = &*products;
        for block in 0..blocks {
            let from = &products[block * range.len() * LANES..];
            let at = (panel * self.panels + block, first, range.len());
            with_scheme!(self.algorithm, D, A => {
                with_number!(step.output.number, N => {
                    // SAFETY: as the caller says.
                    unsafe { self.outputs_of::<V, D, A, N>((step, packed), arena, at, from, product_plane) }
                });
            });
        }
    }

    /// The filters that come behind those of so many inputs: of this panel, or those that the thread most likely takes next:
    /// of the next panel, or where these are not the `last` tiles of this one, its own again.
    fn next_filters(&self, filters: &[f32], inputs: usize, blocks: usize, last: bool) -> Lines {
        if self.filters == Filters::Transformed {
            return Lines::new(filters.as_ptr().wrapping_add(self.panel_len()), self.panel_len() / LANES);
        }
        let vectors = self.tile.taps() * blocks;
        let ahead = match (inputs < self.ins, last) {
            (true, _) => inputs * vectors * LANES,
            (false, true) => self.panel_len(),
            (false, false) => 0,
        };
        Lines::new(filters.as_ptr().wrapping_add(ahead), self.depth() * vectors)
    }

    /// Transforms the products of a block of outputs back, and writes the pixels.
    #[inline(always)]
    unsafe fn outputs_of<V: Vector<Element = f32>, D: Scheme, A: Scheme, N: Stored>(
        &self,
        (step, packed): (&Convolution, &Packed),
        arena: &Arena<'_>,
        (block, first, count): (usize, usize, usize),
        products: &[f32],
        plane: usize,
    ) {
        let (across, of_map) = (self.tiles[1], self.tiles_of_map());
        let [height, width] = self.size;
        let [down, right] = self.steps(step.output.size);
        let out_plane = step.output.plane();
        // SAFETY: sixteen numbers.
        let bias = unsafe { V::load(packed.bias.get()[block * LANES..][..LANES].as_ptr()) };
        let floor = V::splat(if step.finish.relu { 0.0 } else { f32::NAN });
        let products = &products[..(self.planes() - 1) * plane + count * LANES];
        for number in 0..count {
            let (image, tile) = ((first + number) / of_map, (first + number) % of_map);
            let (row, column) = (tile / across * D::OUTPUTS, tile % across * A::OUTPUTS);
            let mut half = [[V::zero(); MOST]; MOST];
            for x in 0..A::INPUTS {
                let mut m = [V::zero(); MOST];
                for y in 0..D::INPUTS {
                    let at = (y * A::INPUTS + x) * plane + number * LANES;
                    // SAFETY: within `products`, whose length was checked.
                    m[y] = unsafe { V::load(products.as_ptr().add(at)) };
                }
                let m = D::output(m);
                for y in 0..D::OUTPUTS {
                    half[y][x] = m[y];
                }
            }
            let at = block * out_plane + row * down + column * right;
            let to = arena.at_number::<N>(&step.output, image).wrapping_add(at);
            let residual = step
                .finish
                .residual
                .as_ref()
                .map(|residual| arena.at_number::<N>(residual, image).wrapping_add(at).cast_const());
            let (rows, columns) = ((height - row).min(D::OUTPUTS), (width - column).min(A::OUTPUTS));
            for y in 0..D::OUTPUTS {
                if y < rows {
                    let pixels = A::output(half[y]);
                    for x in 0..A::OUTPUTS {
                        if x < columns {
                            let at = y * down + x * right;
                            let mut sum = pixels[x].add(bias);
                            // SAFETY: a pixel of the output, of this task's tile and block, and of what is added.
                            unsafe {
                                if let Some(residual) = residual {
                                    sum = sum.add(N::load(residual.wrapping_add(at)));
                                }
                                N::store(sum.at_least(floor), to.wrapping_add(at));
                            }
                        }
                    }
                }
            }
        }
    }
}
