//! The micro-kernel: pixels times weights, with everything that follows before a sum leaves its register.
#![allow(clippy::needless_range_loop)] // Indices run over registers that must stay registers.

use super::epilogue::Epilogue;
use crate::prefetch::{Lines, prefetch};
use crate::simd::{LANES, Vector};

/// What the inner product runs over: for each block of input channels, each tap, each channel of the block.
#[derive(Clone, Copy)]
pub(super) struct Depth<'a> {
    /// Where each tap's pixel is, from the window's start.
    pub(super) taps: &'a [usize],
    /// Taps before and after these, whose weights are passed over.
    pub(super) left_out: [usize; 2],
    /// Input channels.
    pub(super) channels: usize,
    /// Numbers from one block of the input to the next.
    pub(super) block: usize,
    /// What to ask for on the way.
    pub(super) ahead: Lines,
    /// How many numbers further on the pixels lie that come next, to ask for them too; 0 for none.
    pub(super) next_pixels: usize,
}

/// `pixels` pixels times `panels` blocks of outputs. Pixels of the input are `STEP` numbers apart; where that is less than
/// a vector, `depth` has one channel and each of its taps is of one.
///
/// # Safety
///
/// `input` must hold all pixels that `depth` reaches, `weights` a panel of `channels · taps · panels` vectors, and the
/// epilogue's pointers must be valid for these pixels. `pixels` and `panels` must be at least 1 and at most what `V` says.
#[inline(always)]
pub(super) unsafe fn product<V: Vector<Element = f32>, const STEP: usize>(
    (pixels, panels): (usize, usize),
    input: *const f32,
    depth: &Depth<'_>,
    weights: *const f32,
    epilogue: &Epilogue,
) {
    macro_rules! sizes {
        ($($pixels:literal)*) => {
            match (pixels, panels) {
                $(($pixels, 1) if const { $pixels <= V::PIXELS } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<V, $pixels, 1, STEP>(input, depth, weights, epilogue) }
                })*
                $(($pixels, 2) if const { $pixels <= V::PIXELS && V::PANELS == 2 } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<V, $pixels, 2, STEP>(input, depth, weights, epilogue) }
                })*
                _ => unreachable!("{pixels} pixels times {panels} panels"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

#[inline(always)]
unsafe fn block<V: Vector<Element = f32>, const PIXELS: usize, const PANELS: usize, const STEP: usize>(
    input: *const f32,
    depth: &Depth<'_>,
    mut weights: *const f32,
    epilogue: &Epilogue,
) {
    let mut sums = [[V::zero(); PIXELS]; PANELS];
    let mut ahead = depth.ahead;
    let share = ahead.share(depth.channels.div_ceil(LANES) * depth.taps.len());
    let mut first = input;
    let mut left = depth.channels;
    if epilogue.more {
        for panel in 0..PANELS {
            for p in 0..PIXELS {
                // SAFETY: the caller vouches for the epilogue's pointers.
                sums[panel][p] = unsafe { V::load(epilogue.to.add(panel * epilogue.block + p * epilogue.step)) };
            }
        }
    }
    if !epilogue.residual.is_null() {
        for panel in 0..PANELS {
            for p in 0..PIXELS {
                prefetch(epilogue.residual.wrapping_add(panel * epilogue.residual_block + p * epilogue.step));
            }
        }
    }
    while left > 0 {
        let channels = left.min(LANES);
        weights = weights.wrapping_add(depth.left_out[0] * channels * PANELS * LANES);
        if depth.next_pixels > 0 {
            let next = first.wrapping_add(depth.next_pixels);
            for p in 0..PIXELS {
                prefetch(next.wrapping_add(p * STEP));
            }
        }
        for tap in depth.taps {
            ahead.ask(share);
            // SAFETY: the caller vouches for every offset of `depth`, and for as many weights as the loops take.
            unsafe {
                let pixel = first.add(*tap);
                for channel in 0..channels {
                    let mut w = [V::zero(); PANELS];
                    for panel in 0..PANELS {
                        w[panel] = V::load(weights.add(panel * LANES));
                    }
                    weights = weights.add(PANELS * LANES);
                    for p in 0..PIXELS {
                        let x = V::splat(*pixel.add(p * STEP + channel));
                        for panel in 0..PANELS {
                            sums[panel][p] = x.mul_add(w[panel], sums[panel][p]);
                        }
                    }
                }
            }
        }
        weights = weights.wrapping_add(depth.left_out[1] * channels * PANELS * LANES);
        first = first.wrapping_add(depth.block);
        left -= channels;
    }
    // One plain loop for each term: with branches inside, the compiler would keep the sums in memory.
    // SAFETY: the caller vouches for the epilogue's pointers.
    unsafe {
        if !epilogue.bias.is_null() {
            for panel in 0..PANELS {
                let bias = V::load(epilogue.bias.add(panel * LANES));
                for p in 0..PIXELS {
                    sums[panel][p] = sums[panel][p].add(bias);
                }
            }
        }
        if !epilogue.residual.is_null() {
            for panel in 0..PANELS {
                let residual = epilogue.residual.add(panel * epilogue.residual_block);
                for p in 0..PIXELS {
                    sums[panel][p] = sums[panel][p].add(V::load(residual.add(p * epilogue.step)));
                }
            }
        }
        let floor = V::splat(epilogue.floor);
        for panel in 0..PANELS {
            let to = epilogue.to.add(panel * epilogue.block);
            for p in 0..PIXELS {
                sums[panel][p].at_least(floor).store(to.add(p * epilogue.step));
            }
        }
    }
}
