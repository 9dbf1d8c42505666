//! The micro-kernels: everything else exists so that these two loops run undisturbed.
//!
//! Both are bound by the multiply-add units: per multiply-add of sixteen numbers they load less than one register.
//! The accumulators stay in registers only where the compiler sees every index as a constant: hence plain counting
//! loops, and no iterators over arrays of vectors.
#![allow(clippy::needless_range_loop)]

use super::few;
use crate::prefetch::Lines;
use crate::simd::{Arithmetic, InstructionSet, LANES, Multiply, ProductKernel, Vector};

/// Blocks of output channels the micro-kernels of an instruction set take.
pub(super) fn panels<A: Arithmetic>(set: InstructionSet) -> usize {
    struct Panels;
    impl<T> ProductKernel<T> for Panels {
        type Output = usize;
        #[inline(always)]
        fn run<M: Multiply<Number = T>>(self) -> usize {
            M::Vector::PANELS
        }
    }
    A::dispatch(set, Panels)
}

/// What the inner product runs over: for each block of input channels, each tap, each channel of the block.
pub(super) struct Depth<'a> {
    /// Where each tap's pixel is, from the window's start, in factors.
    pub(super) taps: &'a [usize],
    /// Taps left out before and after these, whose weights are passed over.
    pub(super) left_out: [usize; 2],
    /// Input channels; where they are packed closer, each tap is one of one factor.
    pub(super) channels: usize,
    /// Distance of two blocks in the tile, in factors.
    pub(super) block: usize,
    /// What to ask for on the way.
    pub(super) ahead: Lines,
}

/// `pixels` pixels times `panels` blocks of output channels: `out[panel][pixel] = Σ input · weights`. `FEW` says that pixels
/// are packed closer than a block of channels.
///
/// # Safety
///
/// `input` must hold all the pixels `depth` reaches, `weights` a panel of as many vectors of factors as it says, and `out`
/// must be valid for writing `pixels` vectors at each multiple of `out_panel`. `pixels` and `panels` must be at least 1
/// and at most what `M`'s vectors say.
#[inline(always)]
pub(super) unsafe fn product<M: Multiply, const FEW: bool>(
    (pixels, panels): (usize, usize),
    input: *const M::Number,
    depth: &Depth<'_>,
    weights: *const M::Number,
    out: *mut M::Number,
    out_panel: usize,
) {
    macro_rules! sizes {
        ($($pixels:literal)*) => {
            match (pixels, panels) {
                $(($pixels, 1) if const { $pixels <= M::Vector::PIXELS } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<M, $pixels, 1, FEW>(input, depth, weights, out, out_panel) }
                })*
                $(($pixels, 2) if const { $pixels <= M::Vector::PIXELS && M::Vector::PANELS == 2 } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<M, $pixels, 2, FEW>(input, depth, weights, out, out_panel) }
                })*
                _ => unreachable!("{pixels} pixels times {panels} panels"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

#[inline(always)]
unsafe fn block<M: Multiply, const PIXELS: usize, const PANELS: usize, const FEW: bool>(
    input: *const M::Number,
    depth: &Depth<'_>,
    mut weights: *const M::Number,
    out: *mut M::Number,
    out_panel: usize,
) {
    // Factors from one pixel to the next.
    let step = const { (if FEW { few::STEP } else { LANES }) / M::DEPTH };
    let mut sums = [[M::Vector::zero(); PIXELS]; PANELS];
    let mut ahead = depth.ahead;
    let share = ahead.share(depth.channels.div_ceil(LANES) * depth.taps.len());
    for (number, first) in (0..depth.channels).step_by(LANES).enumerate() {
        let factors = if FEW { 1 } else { (depth.channels - first).min(LANES).div_ceil(M::DEPTH) };
        weights = weights.wrapping_add(depth.left_out[0] * factors * PANELS * LANES);
        for tap in depth.taps {
            ahead.ask(share);
            // SAFETY: the caller vouches for every offset of `depth`, and for as many weights as the loops take.
            unsafe {
                let pixel = input.add(number * depth.block + tap);
                for factor in 0..factors {
                    let mut w = [M::load(weights); PANELS];
                    for panel in 1..PANELS {
                        w[panel] = M::load(weights.add(panel * LANES));
                    }
                    weights = weights.add(PANELS * LANES);
                    for p in 0..PIXELS {
                        let x = M::broadcast(pixel.add(p * step + factor));
                        for panel in 0..PANELS {
                            sums[panel][p] = M::multiply_add(x, w[panel], sums[panel][p]);
                        }
                    }
                }
            }
        }
        weights = weights.wrapping_add(depth.left_out[1] * factors * PANELS * LANES);
    }
    for panel in 0..PANELS {
        for p in 0..PIXELS {
            // SAFETY: the caller vouches for `out`.
            unsafe { sums[panel][p].store(out.add(panel * out_panel + p * LANES)) }
        }
    }
}

/// Factors of [`outer`] between two times it asks for what comes next.
const BREATH: usize = 16;

/// Runs of pixels that both operands of [`outer`] have, in factors of one pixel or of two neighbours.
pub(super) struct Runs<'a> {
    /// Where each run starts, in the input's tile and in the gradient's.
    pub(super) starts: &'a [[usize; 2]],
    /// Factors of a run.
    pub(super) factors: usize,
    /// Distance of two blocks in the gradient's tile.
    pub(super) block: usize,
    /// What to ask for on the way.
    pub(super) ahead: Lines,
}

/// A row of the product of [`outer`]: where its factors are in the input, counted from the run's start, and which of
/// the rows of sums is its own.
#[derive(Clone, Copy, Default)]
pub(super) struct SumRow {
    pub(super) input: usize,
    pub(super) sums: usize,
}

/// For each of `rows`, whose factors are `STEP` vectors apart, adds `Σ input[pixel] · gradient[panel][pixel]` over all
/// pixels of all runs to its sums, one vector for each of `panels` panels.
///
/// # Safety
///
/// `input` and `gradient` must hold the runs, at the offset of each row; `sums` must be valid for `panels` vectors at
/// each row's place. `rows` must hold at least 1 and at most as many as `M`'s vectors say, and so `panels`.
#[inline(always)]
pub(super) unsafe fn outer<M: Multiply, const STEP: usize>(
    rows: &[SumRow],
    panels: usize,
    input: *const M::Number,
    gradient: *const M::Number,
    runs: &Runs<'_>,
    sums: *mut M::Number,
) {
    macro_rules! sizes {
        ($($rows:literal)*) => {
            match (rows.len(), panels) {
                $(($rows, 1) if const { $rows <= M::Vector::ROWS } => {
                    // SAFETY: as the caller says.
                    unsafe { outer_block::<M, $rows, 1, STEP>(rows, input, gradient, runs, sums) }
                })*
                $(($rows, 2) if const { $rows <= M::Vector::ROWS && M::Vector::PANELS == 2 } => {
                    // SAFETY: as the caller says.
                    unsafe { outer_block::<M, $rows, 2, STEP>(rows, input, gradient, runs, sums) }
                })*
                (rows, panels) => unreachable!("{rows} rows times {panels} panels"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8)
}

#[inline(always)]
unsafe fn outer_block<M: Multiply, const ROWS: usize, const PANELS: usize, const STEP: usize>(
    rows: &[SumRow],
    input: *const M::Number,
    gradient: *const M::Number,
    runs: &Runs<'_>,
    sums: *mut M::Number,
) {
    let mut places = [SumRow::default(); ROWS];
    places.copy_from_slice(rows);
    // Summed apart from what is there already: blocks of pixels keep the rounding errors small.
    let mut new = [[M::Vector::zero(); PANELS]; ROWS];
    let mut ahead = runs.ahead;
    let share = ahead.share(runs.starts.len() * runs.factors.div_ceil(BREATH));
    for [x, g] in runs.starts {
        // SAFETY: the caller vouches for the runs.
        let (mut x, mut g) = unsafe { (input.add(*x), gradient.add(*g)) };
        for factor in 0..runs.factors {
            if factor % BREATH == 0 {
                ahead.ask(share);
            }
            // SAFETY: the caller vouches for the runs of every panel.
            let mut gs = [unsafe { M::load(g) }; PANELS];
            for panel in 1..PANELS {
                // SAFETY: as above.
                gs[panel] = unsafe { M::load(g.add(panel * runs.block)) };
            }
            for row in 0..ROWS {
                // SAFETY: the caller vouches for the offset of every row.
                let x = unsafe { M::broadcast(x.add(places[row].input)) };
                for panel in 0..PANELS {
                    new[row][panel] = M::multiply_add(x, gs[panel], new[row][panel]);
                }
            }
            x = x.wrapping_add(STEP * LANES);
            g = g.wrapping_add(LANES);
        }
    }
    for row in 0..ROWS {
        for panel in 0..PANELS {
            // SAFETY: the caller vouches for `sums`.
            unsafe {
                let at = sums.add((places[row].sums * PANELS + panel) * LANES);
                M::Vector::load(at).add(new[row][panel]).store(at);
            }
        }
    }
}
