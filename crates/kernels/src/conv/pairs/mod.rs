//! Outputs of few channels: two pixels share a vector.
//!
//! A block has sixteen lanes. Where no more than eight outputs need them, half of each multiply-add would be spent on what
//! fills the block up. So the tile is laid out by channels, `[channel][pixel]`, and a factor is two neighbouring pixels, which
//! take the lanes in turns. A correlation has each weight in two lanes, and every output is summed up in the order in which it
//! is summed up elsewhere: no bit changes. A gradient of the weights has its even and its odd pixels summed up apart.
#![allow(clippy::needless_range_loop)]

mod product;
mod sums;

pub(super) use product::product;
pub(super) use sums::{ROWS, fold, interleave, outer};

use super::odd;
use super::shape::Conv;
use super::tile::{SHORT, Tile};
use crate::element::Element;
use crate::simd::{Arithmetic, InstructionSet, LANES, Multiply, ProductKernel, Vector};

/// Outputs of a vector of two pixels.
const OUTPUTS: usize = LANES / 2;
/// The lanes of either pixel; what fills its vector up is whatever, and nobody keeps it.
const EVEN: [i32; LANES] = [0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14];
const ODD: [i32; LANES] = [1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15];
/// Channels up to which numbers are brought to their places one by one, and not turned around in registers.
const ONE_BY_ONE: usize = 3;

/// Whether an instruction set computes a pass of a convolution so that writes, or reads, so many outputs in rows of so many
/// pixels.
pub(super) fn takes_pairs<A: Arithmetic>(set: InstructionSet, conv: &Conv, outputs: usize, columns: usize) -> bool {
    struct Pairs;
    impl<T> ProductKernel<T> for Pairs {
        type Output = bool;
        #[inline(always)]
        fn run<M: Multiply<Number = T>>(self) -> bool {
            M::DEPTH == 1 && M::Vector::PAIRS
        }
    }
    let few = conv.groups == 1 && (1..=OUTPUTS).contains(&outputs);
    few && columns >= SHORT && A::dispatch(set, Pairs)
}

/// Distance of two channels of a tile laid out so: an odd number of cache lines, since a distance of 4 KiB would have them all
/// evict each other from a first-level cache.
pub(super) fn plane(tile: &Tile) -> usize {
    odd((tile.block() / LANES).div_ceil(LANES)) * LANES
}

/// Numbers of a tile laid out so: in [`product`], the pair of the last pixel reads one beyond.
pub(super) fn planes_len(tile: &Tile, channels: usize) -> usize {
    channels * plane(tile) + 1
}

/// Pixels that [`product`] takes at most.
pub(super) const fn most_pixels<V: Vector>() -> usize {
    2 * V::PIXELS
}

/// Writes each weight of packed vectors to two lanes.
pub(super) fn double<T: Element>(packed: &mut [T]) {
    for vector in packed.chunks_exact_mut(LANES) {
        for output in (0..OUTPUTS).rev() {
            let weight = vector[output];
            vector[2 * output..2 * output + 2].fill(weight);
        }
    }
}

/// Writes a row of pixels of one block to the planes of its channels, `plane` numbers apart, from `start` on.
#[inline(always)]
pub(super) fn lay_out<V: Vector>(
    row: &[V::Element],
    channels: usize,
    to: &mut [V::Element],
    [start, plane]: [usize; 2],
) {
    let pixels = row.len() / LANES;
    assert!(channels <= LANES && (channels == 0 || (channels - 1) * plane + start + pixels <= to.len()));
    if channels <= ONE_BY_ONE || pixels < LANES {
        for channel in 0..channels {
            let to = &mut to[channel * plane + start..][..pixels];
            for pixel in 0..pixels {
                to[pixel] = row[pixel * LANES + channel];
            }
        }
        return;
    }
    for first in (0..pixels).step_by(LANES) {
        // Of the last sixteen pixels some may have been among those before.
        let first = first.min(pixels - LANES);
        let mut square = [V::zero(); LANES];
        for pixel in 0..LANES {
            // SAFETY: within the row.
            square[pixel] = unsafe { V::load(row.as_ptr().add((first + pixel) * LANES)) };
        }
        V::transpose(&mut square);
        for channel in 0..channels {
            // SAFETY: checked above.
            unsafe { square[channel].store(to.as_mut_ptr().add(channel * plane + start + first)) }
        }
    }
}
