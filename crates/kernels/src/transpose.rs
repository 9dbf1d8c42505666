//! Matrices turned around in registers: rows in memory to columns in vectors, and back.
//!
//! Weights lie with their outputs far apart; the kernels want sixteen outputs in one vector. Number by number that costs a
//! load and a store each, which for maps of few pixels is as much as the convolution itself.

#![allow(clippy::needless_range_loop)] // Indices run over registers that must stay registers.

use crate::buffer::Shared;
use crate::element::Element;
use crate::prefetch::prefetch;
use crate::simd::{LANES, Vector};
use std::ops::Range;

/// Sixteen rows at most, whose numbers lie one behind the other.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: usize,
    /// Numbers from one row to the next.
    pub(crate) stride: usize,
    /// How many numbers further on those lie that will be read soon: they are asked for.
    pub(crate) ahead: usize,
}

/// For each column of `rows`, writes its vector to `to[places[column]..]`; lanes beyond the rows get zeros. A column whose
/// place is [`NOWHERE`] is left out.
#[inline(always)]
pub(crate) fn to_columns<V: Vector>(from: &[V::Element], rows: Rows, places: &[usize], to: &mut [V::Element]) {
    debug_assert!(rows.count <= LANES);
    for (first, places) in (0..).step_by(LANES).zip(places.chunks(LANES)) {
        let mut square = [V::zero(); LANES];
        for row in 0..rows.count {
            let from = &from[row * rows.stride + first..];
            prefetch(from.as_ptr().wrapping_add(rows.ahead));
            square[row] = load::<V>(from, places.len());
        }
        V::transpose(&mut square);
        for column in 0..places.len() {
            if places[column] != NOWHERE {
                let to = &mut to[places[column]..][..LANES];
                // SAFETY: sixteen numbers.
                unsafe { square[column].store(to.as_mut_ptr()) };
            }
        }
    }
}

/// The way back: the lanes `lanes` of each column's vector, row by row. A column whose place is [`NOWHERE`] is zeros.
///
/// # Safety
///
/// Nobody else reads or writes these rows meanwhile.
#[inline(always)]
pub(crate) unsafe fn to_rows<V: Vector>(
    from: &[V::Element],
    places: &[usize],
    lanes: Range<usize>,
    to: &SharedRows<'_, V::Element>,
) {
    debug_assert!(lanes.end <= LANES);
    for (first, places) in (0..).step_by(LANES).zip(places.chunks(LANES)) {
        let mut square = [V::zero(); LANES];
        for column in 0..places.len() {
            if places[column] != NOWHERE {
                let from = &from[places[column]..][..LANES];
                // SAFETY: sixteen numbers.
                square[column] = unsafe { V::load(from.as_ptr()) };
            }
        }
        V::transpose(&mut square);
        for lane in lanes.clone() {
            let start = to.start + (lane - lanes.start) * to.stride + first;
            // SAFETY: the caller says so.
            let to = unsafe { to.numbers.part(start..start + places.len()) };
            if places.len() == LANES {
                // SAFETY: sixteen numbers.
                unsafe { square[lane].store(to.as_mut_ptr()) };
            } else {
                let mut numbers = [V::Element::ZERO; LANES];
                // SAFETY: sixteen numbers.
                unsafe { square[lane].store(numbers.as_mut_ptr()) };
                to.copy_from_slice(&numbers[..places.len()]);
            }
        }
    }
}

/// No place.
pub(crate) const NOWHERE: usize = usize::MAX;

/// Where [`to_rows`] writes: rows of numbers that several tasks divide among them.
pub(crate) struct SharedRows<'a, T> {
    pub(crate) numbers: Shared<'a, T>,
    /// The first number of the first row.
    pub(crate) start: usize,
    /// Numbers from one row to the next.
    pub(crate) stride: usize,
}

/// The first `count` of sixteen numbers, whatever the others are; zeros where `from` has no others.
#[inline(always)]
pub(crate) fn load<V: Vector>(from: &[V::Element], count: usize) -> V {
    if from.len() >= LANES {
        // SAFETY: sixteen numbers.
        return unsafe { V::load(from.as_ptr()) };
    }
    let mut numbers = [V::Element::ZERO; LANES];
    numbers[..count].copy_from_slice(&from[..count]);
    // SAFETY: sixteen numbers.
    unsafe { V::load(numbers.as_ptr()) }
}
