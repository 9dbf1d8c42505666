//! Input tiles, transformed.
#![allow(clippy::needless_range_loop)] // Indices run over registers that must stay registers.

use super::scheme::{MOST, Scheme};
use super::tiles::Tiles;
use crate::inference::input::Affine;
use crate::narrow::Stored;
use crate::simd::{LANES, Vector};

/// A block of a map.
pub(super) struct Source<'a, N> {
    pub(super) from: *const N,
    /// Numbers from one row to the next and from one column to the next.
    pub(super) steps: [usize; 2],
    /// Rows and columns.
    pub(super) size: [usize; 2],
    pub(super) padding: [usize; 2],
    /// What is done to its numbers, and which block of channels it is.
    pub(super) map: Option<&'a Affine>,
    pub(super) block: usize,
}

/// Where transformed tiles go.
pub(super) struct Target {
    pub(super) tiles: Tiles,
    /// The number of the first of them.
    pub(super) first: usize,
    pub(super) to: *mut f32,
    /// Numbers between two planes.
    pub(super) plane: usize,
}

/// Numbers of a row of tiles transformed along one axis.
pub(super) fn strip_len(inputs: usize, columns: usize) -> usize {
    inputs * columns * LANES
}

/// Transforms a row of tiles of a block: first along the columns of the map, then along the rows of each tile.
///
/// # Safety
///
/// The map is not written meanwhile, and the target's places are this task's alone.
#[inline(always)]
pub(super) unsafe fn row_of_tiles<V: Vector<Element = f32>, D: Scheme, A: Scheme, N: Stored>(
    source: &Source<'_, N>,
    row: usize,
    across: usize,
    target: &Target,
    band: &mut [f32],
) {
    let columns = across * A::OUTPUTS + A::INPUTS - A::OUTPUTS;
    let band = &mut band[..strip_len(D::INPUTS, columns)];
    // SAFETY: as the caller says.
    unsafe {
        down::<V, D, N>(source, row, columns, band);
        for tile in 0..across {
            let number = target.first + tile;
            let to = target.to.wrapping_add(target.tiles.at::<V>(number, source.block) * LANES);
            for y in 0..D::INPUTS {
                let mut d = [V::zero(); MOST];
                for x in 0..A::INPUTS {
                    d[x] = V::load(band.as_ptr().add((y * columns + tile * A::OUTPUTS + x) * LANES));
                }
                let d = A::input(d);
                for x in 0..A::INPUTS {
                    d[x].store(to.wrapping_add((y * A::INPUTS + x) * target.plane));
                }
            }
        }
    }
}

/// Transforms each column of a row of tiles.
#[inline(always)]
unsafe fn down<V: Vector<Element = f32>, S: Scheme, N: Stored>(
    source: &Source<'_, N>,
    row: usize,
    columns: usize,
    band: &mut [f32],
) {
    let [height, width] = source.size;
    // Which rows of the tile are border.
    let mut rows = [std::ptr::null::<N>(); MOST];
    for y in 0..S::INPUTS {
        if let Some(at) = (row * S::OUTPUTS + y).checked_sub(source.padding[0]).filter(|at| *at < height) {
            rows[y] = source.from.wrapping_add(at * source.steps[0]);
        }
    }
    let (left, right) = (source.padding[1].min(columns), (source.padding[1] + width).min(columns));
    for y in 0..S::INPUTS {
        let to = &mut band[y * columns * LANES..][..columns * LANES];
        to[..left * LANES].fill(0.0);
        to[right * LANES..].fill(0.0);
    }
    let whole = rows[..S::INPUTS].iter().all(|row| !row.is_null());
    // SAFETY: columns of the map, within `band`.
    unsafe {
        match source.map {
            None if whole => {
                for column in left..right {
                    let mut d = [V::zero(); MOST];
                    for y in 0..S::INPUTS {
                        d[y] = N::load(rows[y].add((column - left) * source.steps[1]));
                    }
                    store_column::<V, S>(d, columns, column, band);
                }
            }
            None => {
                for column in left..right {
                    let mut d = [V::zero(); MOST];
                    for y in 0..S::INPUTS {
                        if !rows[y].is_null() {
                            d[y] = N::load(rows[y].add((column - left) * source.steps[1]));
                        }
                    }
                    store_column::<V, S>(d, columns, column, band);
                }
            }
            Some(map) => {
                let [scale, shift, floor] = map.of_block::<V>(source.block);
                for column in left..right {
                    let mut d = [V::zero(); MOST];
                    for y in 0..S::INPUTS {
                        if !rows[y].is_null() {
                            let x: V = N::load(rows[y].add((column - left) * source.steps[1]));
                            d[y] = x.mul_add(scale, shift).at_least(floor);
                        }
                    }
                    store_column::<V, S>(d, columns, column, band);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn store_column<V: Vector<Element = f32>, S: Scheme>(
    d: [V; MOST],
    columns: usize,
    column: usize,
    band: &mut [f32],
) {
    let d = S::input(d);
    for y in 0..S::INPUTS {
        // SAFETY: within `band`, as the caller says.
        unsafe { d[y].store(band.as_mut_ptr().add((y * columns + column) * LANES)) };
    }
}
