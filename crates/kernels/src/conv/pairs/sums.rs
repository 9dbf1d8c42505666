//! The micro-kernel of a gradient of weights of few outputs.
#![allow(clippy::needless_range_loop)]

use super::super::micro::{Runs, SumRow};
use super::{EVEN, ODD, OUTPUTS};
use crate::element::Element;
use crate::simd::{LANES, Vector};

/// Rows of a product: what the general registers hold the places of.
pub(in super::super) const ROWS: usize = 9;

/// Makes factors of neighbouring pixels where they lie: of each run of `run` pixels, every second with the one behind it, whose
/// outputs take the lanes in turns. An odd last one has zeros for a neighbour.
#[inline(always)]
pub(in super::super) fn interleave<V: Vector>(pixels: &mut [V::Element], run: usize) {
    let (pixels, mut to) = (pixels.as_chunks_mut::<LANES>().0, 0);
    for first in (0..pixels.len()).step_by(run.max(1)) {
        for pair in (first..first + run).step_by(2) {
            // SAFETY: sixteen numbers each. What is written has been read, since there are no more factors than pixels before.
            unsafe {
                let even = V::load(pixels[pair].as_ptr());
                let odd = if pair + 1 < first + run { V::load(pixels[pair + 1].as_ptr()) } else { V::zero() };
                even.in_turns(odd).store(pixels[to].as_mut_ptr());
            }
            to += 1;
        }
    }
}

/// Adds `Σ input[pixel] · gradient[pixel]` over all pixels of all runs to the sums of each of `rows`, those of even pixels to
/// the even lanes. A factor is two pixels, but where `odd`: there the last of each run is one.
///
/// # Safety
///
/// `input` must hold the runs at the offset of each row, `gradient` their factors, and `sums` must be valid for a vector at
/// each row's place. There must be at least 1 and at most [`ROWS`] rows.
#[inline(always)]
pub(in super::super) unsafe fn outer<V: Vector>(
    rows: &[SumRow],
    input: *const V::Element,
    gradient: *const V::Element,
    (runs, odd): (&Runs<'_>, bool),
    sums: *mut V::Element,
) {
    macro_rules! sizes {
        ($($rows:literal)*) => {
            match rows.len() {
                $($rows if const { V::PAIRS } => {
                    // SAFETY: as the caller says.
                    unsafe { block::<V, $rows>(rows, input, gradient, (runs, odd), sums) }
                })*
                rows => unreachable!("{rows} rows"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8 9)
}

/// # Safety
///
/// As [`outer`].
#[inline(always)]
unsafe fn block<V: Vector, const ROWS: usize>(
    rows: &[SumRow],
    input: *const V::Element,
    gradient: *const V::Element,
    (runs, odd): (&Runs<'_>, bool),
    sums: *mut V::Element,
) {
    let mut places = [SumRow::default(); ROWS];
    places.copy_from_slice(rows);
    let mut new = [V::zero(); ROWS];
    let mut ahead = runs.ahead;
    let share = ahead.share(runs.starts.len());
    for [x, g] in runs.starts {
        ahead.ask(share);
        // SAFETY: the caller vouches for the runs.
        let (mut x, mut g) = unsafe { (input.add(*x), gradient.add(*g)) };
        for _ in 0..runs.factors - usize::from(odd) {
            // SAFETY: the caller vouches for the run of every row.
            unsafe {
                let gs = V::load(g);
                for row in 0..ROWS {
                    new[row] = V::alternate(x.add(places[row].input)).mul_add(gs, new[row]);
                }
            }
            x = x.wrapping_add(2);
            g = g.wrapping_add(LANES);
        }
        if odd {
            // SAFETY: as above; there is nothing behind the last pixel that could be read with it.
            unsafe {
                let gs = V::load(g);
                for row in 0..ROWS {
                    new[row] = V::splat(*x.add(places[row].input)).mul_add(gs, new[row]);
                }
            }
        }
    }
    for row in 0..ROWS {
        // SAFETY: the caller vouches for `sums`.
        unsafe {
            let at = sums.add(places[row].sums * LANES);
            V::load(at).add(new[row]).store(at);
        }
    }
}

/// Adds what even and odd pixels gave, where it lies: the sum of each output in the lane of its number.
#[inline(always)]
pub(in super::super) fn fold<V: Vector>(sums: &mut [V::Element]) {
    for sum in sums.as_chunks_mut::<LANES>().0 {
        // SAFETY: sixteen numbers.
        unsafe {
            let both = V::load(sum.as_ptr());
            both.permute(&EVEN).add(both.permute(&ODD)).store(sum.as_mut_ptr());
        }
        sum[OUTPUTS..].fill(V::Element::ZERO);
    }
}
