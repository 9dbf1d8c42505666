//! The micro-kernels: everything else exists so that these two loops run undisturbed.
//!
//! Both are bound by the multiply-add units: per multiply-add of sixteen numbers they load less than one register.
//! The accumulators stay in registers only where the compiler sees every index as a constant: hence plain counting
//! loops, and no iterators over arrays of vectors.
#![allow(clippy::needless_range_loop)]

use crate::element::Element;
use crate::prefetch::Lines;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};

/// Blocks of output channels the micro-kernels of an instruction set take.
pub(super) fn panels<T: Element>(set: InstructionSet) -> usize {
    struct Panels;
    impl<T: Element> Kernel<T> for Panels {
        type Output = usize;
        #[inline(always)]
        fn run<V: Vector<Element = T>>(self) -> usize {
            V::PANELS
        }
    }
    dispatch::<T, _>(set, Panels)
}

/// What the inner product runs over: for each block of input channels, each tap, each channel of the block.
pub(super) struct Depth<'a> {
    /// Where each tap's pixel is, from the window's start.
    pub(super) taps: &'a [usize],
    /// Taps left out before and after these, whose weights are passed over.
    pub(super) left_out: [usize; 2],
    /// Input channels.
    pub(super) channels: usize,
    /// Distance of two blocks in the tile.
    pub(super) block: usize,
    /// What to ask for on the way.
    pub(super) ahead: Lines,
}

/// `pixels` pixels times `panels` blocks of output channels: `out[panel][pixel] = Σ input · weights`. Pixels are `STEP`
/// numbers apart; where that is less than a vector, each tap of `depth` is one of one channel.
///
/// # Safety
///
/// `input` must hold all the pixels `depth` reaches, `weights` a panel of `channels · taps · panels` vectors, and `out`
/// must be valid for writing `pixels` vectors at each multiple of `out_panel`. `pixels` and `panels` must be at least 1
/// and at most what `V` says.
#[inline(always)]
pub(super) unsafe fn product<V: Vector, const STEP: usize>(
    (pixels, panels): (usize, usize),
    input: *const V::Element,
    depth: &Depth<'_>,
    weights: *const V::Element,
    out: *mut V::Element,
    out_panel: usize,
) {
    macro_rules! sizes {
        ($($pixels:literal)*) => {
            match (pixels, panels) {
                $(($pixels, 1) if const { $pixels <= V::PIXELS } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<V, $pixels, 1, STEP>(input, depth, weights, out, out_panel) }
                })*
                $(($pixels, 2) if const { $pixels <= V::PIXELS && V::PANELS == 2 } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<V, $pixels, 2, STEP>(input, depth, weights, out, out_panel) }
                })*
                _ => unreachable!("{pixels} pixels times {panels} panels"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

#[inline(always)]
unsafe fn block<V: Vector, const PIXELS: usize, const PANELS: usize, const STEP: usize>(
    input: *const V::Element,
    depth: &Depth<'_>,
    mut weights: *const V::Element,
    out: *mut V::Element,
    out_panel: usize,
) {
    let mut sums = [[V::zero(); PIXELS]; PANELS];
    let mut ahead = depth.ahead;
    let share = ahead.share(depth.channels.div_ceil(LANES) * depth.taps.len());
    for (number, first) in (0..depth.channels).step_by(LANES).enumerate() {
        let channels = if STEP < LANES { 1 } else { (depth.channels - first).min(LANES) };
        weights = weights.wrapping_add(depth.left_out[0] * channels * PANELS * LANES);
        for tap in depth.taps {
            ahead.ask(share);
            // SAFETY: the caller vouches for every offset of `depth`, and for as many weights as the loops take.
            unsafe {
                let pixel = input.add(number * depth.block + tap);
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
    }
    for panel in 0..PANELS {
        for p in 0..PIXELS {
            // SAFETY: the caller vouches for `out`.
            unsafe { sums[panel][p].store(out.add(panel * out_panel + p * LANES)) }
        }
    }
}

/// Pixels of [`outer`] between two times it asks for what comes next.
const BREATH: usize = 16;

/// Runs of pixels that both operands of [`outer`] have.
pub(super) struct Runs<'a> {
    /// Where each run starts, in the input's tile and in the gradient's.
    pub(super) starts: &'a [[usize; 2]],
    /// Pixels of a run.
    pub(super) pixels: usize,
    /// Distance of two blocks in the gradient's tile.
    pub(super) block: usize,
    /// What to ask for on the way.
    pub(super) ahead: Lines,
}

/// A row of the product of [`outer`]: where its numbers are in the input, counted from the run's start, and which of
/// the rows of sums is its own.
#[derive(Clone, Copy, Default)]
pub(super) struct SumRow {
    pub(super) input: usize,
    pub(super) sums: usize,
}

/// For each of `rows`, whose pixels are `STEP` numbers apart, adds `Σ input[pixel] · gradient[panel][pixel]` over all pixels of all runs to its sums, one vector
/// for each of `panels` panels.
///
/// # Safety
///
/// `input` and `gradient` must hold the runs, at the offset of each row; `sums` must be valid for `panels` vectors at
/// each row's place. `rows` must hold at least 1 and at most as many as `V` says, and so `panels`.
#[inline(always)]
pub(super) unsafe fn outer<V: Vector, const STEP: usize>(
    rows: &[SumRow],
    panels: usize,
    input: *const V::Element,
    gradient: *const V::Element,
    runs: &Runs<'_>,
    sums: *mut V::Element,
) {
    macro_rules! sizes {
        ($($rows:literal)*) => {
            match (rows.len(), panels) {
                $(($rows, 1) if const { $rows <= V::ROWS } => {
                    // SAFETY: as the caller says.
                    unsafe { outer_block::<V, $rows, 1, STEP>(rows, input, gradient, runs, sums) }
                })*
                $(($rows, 2) if const { $rows <= V::ROWS && V::PANELS == 2 } => {
                    // SAFETY: as the caller says.
                    unsafe { outer_block::<V, $rows, 2, STEP>(rows, input, gradient, runs, sums) }
                })*
                (rows, panels) => unreachable!("{rows} rows times {panels} panels"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8)
}

#[inline(always)]
unsafe fn outer_block<V: Vector, const ROWS: usize, const PANELS: usize, const STEP: usize>(
    rows: &[SumRow],
    input: *const V::Element,
    gradient: *const V::Element,
    runs: &Runs<'_>,
    sums: *mut V::Element,
) {
    let mut places = [SumRow::default(); ROWS];
    places.copy_from_slice(rows);
    // Summed apart from what is there already: blocks of pixels keep the rounding errors small.
    let mut new = [[V::zero(); PANELS]; ROWS];
    let mut ahead = runs.ahead;
    let share = ahead.share(runs.starts.len() * runs.pixels.div_ceil(BREATH));
    for [x, g] in runs.starts {
        // SAFETY: the caller vouches for the runs.
        let (mut x, mut g) = unsafe { (input.add(*x), gradient.add(*g)) };
        for pixel in 0..runs.pixels {
            if pixel % BREATH == 0 {
                ahead.ask(share);
            }
            let mut gs = [V::zero(); PANELS];
            for panel in 0..PANELS {
                // SAFETY: the caller vouches for the runs of every panel.
                gs[panel] = unsafe { V::load(g.add(panel * runs.block)) };
            }
            for row in 0..ROWS {
                // SAFETY: the caller vouches for the offset of every row.
                let x = V::splat(unsafe { *x.add(places[row].input) });
                for panel in 0..PANELS {
                    new[row][panel] = x.mul_add(gs[panel], new[row][panel]);
                }
            }
            x = x.wrapping_add(STEP);
            g = g.wrapping_add(LANES);
        }
    }
    for row in 0..ROWS {
        for panel in 0..PANELS {
            // SAFETY: the caller vouches for `sums`.
            unsafe {
                let at = sums.add((places[row].sums * PANELS + panel) * LANES);
                V::load(at).add(new[row][panel]).store(at);
            }
        }
    }
}
