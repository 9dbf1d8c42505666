//! The micro-kernel: as that of `f32`, with two or four channels a step.
#![allow(clippy::needless_range_loop)]

use crate::prefetch::Lines;
use crate::simd::{Dot, LANES};

/// Most blocks of outputs of a call.
pub(super) const MOST_PANELS: usize = 2;
/// Most sums of a call, and so vectors it writes.
pub(super) const SUMS: usize = 14 * MOST_PANELS;

/// What the inner product runs over: for each block of input channels, each tap, each word of the block. Distances are in
/// words of 32 bits.
pub(super) struct Depth<'a> {
    /// Where each tap's pixel is, from the window's start.
    pub(super) taps: &'a [u32],
    /// Taps left out before and after these, whose weights are passed over.
    pub(super) left_out: [usize; 2],
    /// Blocks of input channels.
    pub(super) blocks: usize,
    /// Words of the last of them.
    pub(super) last: usize,
    /// Distance of two blocks.
    pub(super) block: usize,
    /// What to ask for on the way.
    pub(super) ahead: Lines,
}

/// `pixels` pixels times `panels` blocks of outputs: `out[panel][pixel] = start[panel] + Σ input · weights`.
///
/// # Safety
///
/// `input` must hold all the pixels `depth` reaches, at any alignment, `weights` a panel of as many words as it says,
/// `start` a vector for each of `panels`, and `out` must be valid for writing `panels · pixels` vectors. `pixels` and
/// `panels` must be at least 1 and at most what `D` says.
#[inline(always)]
pub(super) unsafe fn product<D: Dot>(
    (pixels, panels): (usize, usize),
    input: *const u32,
    depth: &Depth<'_>,
    weights: *const u32,
    start: *const u32,
    out: *mut u32,
) {
    macro_rules! sizes {
        ($($pixels:literal)*) => {
            match (pixels, panels) {
                $(($pixels, 1) if const { $pixels <= D::PIXELS } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<D, $pixels, 1>(input, depth, weights, start, out) }
                })*
                $(($pixels, 2) if const { $pixels <= D::PIXELS && D::PANELS == 2 } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<D, $pixels, 2>(input, depth, weights, start, out) }
                })*
                _ => unreachable!("{pixels} pixels times {panels} panels"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

#[inline(always)]
unsafe fn block<D: Dot, const PIXELS: usize, const PANELS: usize>(
    input: *const u32,
    depth: &Depth<'_>,
    mut weights: *const u32,
    start: *const u32,
    out: *mut u32,
) {
    // SAFETY: the caller vouches for `start`.
    let mut sums = [unsafe { [D::sum(start); PIXELS] }; PANELS];
    for panel in 1..PANELS {
        // SAFETY: as above.
        sums[panel] = unsafe { [D::sum(start.add(panel * LANES)); PIXELS] };
    }
    let mut ahead = depth.ahead;
    let share = ahead.share(depth.blocks * depth.taps.len());
    for number in 0..depth.blocks {
        let words = if number + 1 == depth.blocks { depth.last } else { D::WORDS };
        weights = weights.wrapping_add(depth.left_out[0] * words * PANELS * LANES);
        for tap in depth.taps {
            ahead.ask(share);
            // SAFETY: the caller vouches for every offset of `depth`, and for as many weights as the loops take.
            unsafe {
                let pixel = input.add(number * depth.block + *tap as usize);
                for word in 0..words {
                    let first = D::load(weights);
                    let second = if PANELS == 2 { D::load(weights.add(LANES)) } else { first };
                    weights = weights.add(PANELS * LANES);
                    for p in 0..PIXELS {
                        let x = D::word(pixel.add(p * D::WORDS + word).read_unaligned());
                        sums[0][p] = D::dot(first, x, sums[0][p]);
                        if PANELS == 2 {
                            sums[PANELS - 1][p] = D::dot(second, x, sums[PANELS - 1][p]);
                        }
                    }
                }
            }
        }
        weights = weights.wrapping_add(depth.left_out[1] * words * PANELS * LANES);
    }
    for panel in 0..PANELS {
        for p in 0..PIXELS {
            // SAFETY: the caller vouches for `out`.
            unsafe { D::store(sums[panel][p], out.add((panel * PIXELS + p) * LANES)) }
        }
    }
}
