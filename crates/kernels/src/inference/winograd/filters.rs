//! Packed filters: transformed, `[panel][plane][input][output]`, or as they are, `[panel][input][tap][output]`.
#![allow(clippy::needless_range_loop)] // Indices are those of the formula.

use super::scheme::{F2x3, F2x5, F4x3, F4x7, MOST, One, Scheme};
use super::{Winograd, with_scheme};
use crate::buffer::Shared;
use crate::conv::Conv;
use crate::inference::choice::{ConvAlgorithm, Filters};
use crate::inference::packing::Scaled;
use crate::prefetch::Lines;
use crate::simd::{LANES, Vector};
use crate::threads::for_each;

/// Transforms in f64: what is rounded is the result alone.
pub(in crate::inference) fn pack(winograd: &Winograd, conv: &Conv, scaled: Scaled<'_>, packed: &mut [f32]) {
    match winograd.filters {
        Filters::Transformed => {
            with_scheme!(winograd.algorithm, D, A => pack_as::<D, A>(winograd, conv, scaled, packed))
        }
        Filters::Plain => pack_taps(winograd, conv, scaled, packed),
    }
}

/// Packs filters as they are: `[panel][input][tap][output]`.
fn pack_taps(winograd: &Winograd, conv: &Conv, scaled: Scaled<'_>, packed: &mut [f32]) {
    let shared = Shared::new(packed);
    for_each(winograd.panel_count(), |panel| {
        let first = panel * winograd.panels;
        let width = winograd.panels.min(winograd.out_blocks() - first) * LANES;
        // SAFETY: each task has a panel of its own.
        let packed = unsafe { shared.part(panel * winograd.panel_len()..(panel + 1) * winograd.panel_len()) };
        for (number, vector) in packed.chunks_exact_mut(width).take(winograd.ins * winograd.taps()).enumerate() {
            let (input, tap) = (number / winograd.taps(), number % winograd.taps());
            for (lane, weight) in vector.iter_mut().enumerate() {
                let out = first * LANES + lane;
                *weight = if out < winograd.outs { scaled.weight(conv, out, input, tap) } else { 0.0 };
            }
        }
    });
}

/// Transforms the filters of some inputs and of `blocks` blocks of outputs, `[input][tap][output]`, to
/// `[plane][input][output]`, planes so many numbers apart; on the way it asks for some of what comes next.
#[inline(always)]
pub(super) fn transform<V: Vector<Element = f32>, D: Scheme, A: Scheme>(
    from: &[f32],
    blocks: usize,
    (to, plane): (&mut [f32], usize),
    next: &mut Lines,
) {
    let width = blocks * LANES;
    let filter = D::KERNEL * A::KERNEL * width;
    let count = from.len() / filter;
    assert!(to.len() >= (D::INPUTS * A::INPUTS - 1) * plane + count * width, "transformed filters do not fit");
    for input in 0..count {
        for block in 0..blocks {
            next.ask(1);
            let mut half = [[V::zero(); MOST]; MOST];
            for x in 0..A::KERNEL {
                let mut g = [V::zero(); MOST];
                for y in 0..D::KERNEL {
                    let at = input * filter + (y * A::KERNEL + x) * width + block * LANES;
                    // SAFETY: within `from`, of whole filters.
                    g[y] = unsafe { V::load(from.as_ptr().add(at)) };
                }
                let g = D::filters(g);
                for y in 0..D::INPUTS {
                    half[y][x] = g[y];
                }
            }
            for y in 0..D::INPUTS {
                let row = A::filters(half[y]);
                for x in 0..A::INPUTS {
                    let at = (y * A::INPUTS + x) * plane + input * width + block * LANES;
                    // SAFETY: within `to`, whose length was checked.
                    unsafe { row[x].store(to.as_mut_ptr().add(at)) };
                }
            }
        }
    }
}

/// What each tap counts for in each number of a transformed filter.
fn table<S: Scheme>() -> Vec<[f64; MOST]> {
    let entry = |row, tap| if tap < S::KERNEL { S::filter(row, tap) } else { 0.0 };
    (0..S::INPUTS).map(|row| std::array::from_fn(|tap| entry(row, tap))).collect()
}

fn pack_as<D: Scheme, A: Scheme>(winograd: &Winograd, conv: &Conv, scaled: Scaled<'_>, packed: &mut [f32]) {
    let (down, across) = (table::<D>(), table::<A>());
    let shared = Shared::new(packed);
    for_each(winograd.panel_count(), |panel| {
        let first = panel * winograd.panels;
        let width = winograd.panels.min(winograd.out_blocks() - first) * LANES;
        // SAFETY: each task has a panel of its own.
        let packed = unsafe { shared.part(panel * winograd.panel_len()..(panel + 1) * winograd.panel_len()) };
        let plane = winograd.filter_plane();
        for input in 0..winograd.ins {
            for lane in 0..width.min((winograd.outs - first * LANES).min(width)) {
                let out = first * LANES + lane;
                // A row for each tap along the other axis.
                let mut half = [[0.0_f64; MOST]; MOST];
                for (x, half) in half.iter_mut().enumerate().take(A::KERNEL) {
                    for (row, entries) in half.iter_mut().zip(&down) {
                        for y in 0..D::KERNEL {
                            *row += entries[y] * f64::from(scaled.weight(conv, out, input, y * A::KERNEL + x));
                        }
                    }
                }
                for y in 0..D::INPUTS {
                    for (x, entries) in across.iter().enumerate() {
                        let value: f64 = (0..A::KERNEL).map(|tap| entries[tap] * half[tap][y]).sum();
                        packed[(y * A::INPUTS + x) * plane + input * width + lane] = value as f32;
                    }
                }
            }
        }
    });
}
