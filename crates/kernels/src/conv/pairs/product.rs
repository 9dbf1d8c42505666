//! The micro-kernel of a correlation whose outputs are few.
#![allow(clippy::needless_range_loop)]

use super::super::micro::Depth;
use super::{EVEN, ODD};
use crate::simd::{LANES, Vector};

/// `pixels` pixels of a block of outputs: `out[pixel] = Σ input · weights`. `depth.block` is the distance of two channels.
///
/// # Safety
///
/// `input` must hold all the pixels `depth` reaches, and one more; `weights` a vector for each of its channels and taps, and
/// `out` must be valid for writing `pixels` vectors. `pixels` must be at least 1 and at most [`most_pixels`](super::most_pixels).
#[inline(always)]
pub(in super::super) unsafe fn product<V: Vector>(
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
