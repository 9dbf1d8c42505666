//! Outputs of few channels: two pixels share a vector.
//!
//! A block has sixteen lanes. Where no more than eight outputs need them, half of each multiply-add would be spent on what
//! fills the block up. So the tile is laid out by channels, `[channel][pixel]`, and a factor is two neighbouring pixels, which
//! take the lanes in turns. Each weight stands in two lanes. Every output is summed up in the order in which it is summed up
//! elsewhere, so this changes no bit, and an instruction set may do so or not.
#![allow(clippy::needless_range_loop)]

use super::correlation::Correlation;
use super::micro::Depth;
use super::odd;
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

/// Whether an instruction set computes a correlation so.
pub(super) fn takes_pairs<A: Arithmetic>(correlation: &Correlation<'_>, set: InstructionSet) -> bool {
    struct Pairs;
    impl<T> ProductKernel<T> for Pairs {
        type Output = bool;
        #[inline(always)]
        fn run<M: Multiply<Number = T>>(self) -> bool {
            M::DEPTH == 1 && M::Vector::PAIRS
        }
    }
    let few = correlation.conv.groups == 1 && (1..=OUTPUTS).contains(&correlation.bundles.outs);
    few && correlation.axes[1].count() >= SHORT && A::dispatch(set, Pairs)
}

/// Distance of two channels of a tile laid out so: an odd number of cache lines, since a distance of 4 KiB would have them all
/// evict each other from a first-level cache.
pub(super) fn plane(tile: &Tile) -> usize {
    odd((tile.block() / LANES).div_ceil(LANES)) * LANES
}

/// Numbers of a tile laid out so: the pair of the last pixel reads one beyond.
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

/// `pixels` pixels of a block of outputs: `out[pixel] = Σ input · weights`. `depth.block` is the distance of two channels.
///
/// # Safety
///
/// `input` must hold all the pixels `depth` reaches, and one more; `weights` a vector for each of its channels and taps, and
/// `out` must be valid for writing `pixels` vectors. `pixels` must be at least 1 and at most [`most_pixels`].
#[inline(always)]
pub(super) unsafe fn product<V: Vector>(
    pixels: usize,
    input: *const V::Element,
    depth: &Depth<'_>,
    weights: *const V::Element,
    out: *mut V::Element,
) {
    macro_rules! sizes {
        ($($pairs:literal)*) => {
            match pixels.div_ceil(2) {
                $($pairs if const { $pairs <= V::PIXELS && V::PAIRS } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<V, $pairs>(pixels, input, depth, weights, out) }
                })*
                _ => unreachable!("{pixels} pixels"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

/// # Safety
///
/// As [`product`].
#[inline(always)]
unsafe fn block<V: Vector, const PAIRS: usize>(
    pixels: usize,
    input: *const V::Element,
    depth: &Depth<'_>,
    mut weights: *const V::Element,
    out: *mut V::Element,
) {
    let mut sums = [V::zero(); PAIRS];
    let mut ahead = depth.ahead;
    let share = ahead.share(depth.channels.div_ceil(LANES) * depth.taps.len());
    for first in (0..depth.channels).step_by(LANES) {
        let channels = (depth.channels - first).min(LANES);
        weights = weights.wrapping_add(depth.left_out[0] * channels * LANES);
        for tap in depth.taps {
            ahead.ask(share);
            // SAFETY: the caller vouches for every offset of `depth`, and for as many weights as the loops take.
            unsafe {
                let mut pixel = input.add(first * depth.block + tap);
                for _ in 0..channels {
                    let w = V::load(weights);
                    for pair in 0..PAIRS {
                        sums[pair] = V::alternate(pixel.add(2 * pair)).mul_add(w, sums[pair]);
                    }
                    weights = weights.add(LANES);
                    pixel = pixel.wrapping_add(depth.block);
                }
            }
        }
        weights = weights.wrapping_add(depth.left_out[1] * channels * LANES);
    }
    for pair in 0..PAIRS {
        // SAFETY: the caller vouches for `out`.
        unsafe {
            sums[pair].permute(&EVEN).store(out.add(2 * pair * LANES));
            if 2 * pair + 1 < pixels {
                sums[pair].permute(&ODD).store(out.add((2 * pair + 1) * LANES));
            }
        }
    }
}
