//! Packed filters: transformed, `[panel][plane][input][output]`, or as the direct way has them,
//! `[panel][block of inputs][tap][input][output]`.
#![allow(clippy::needless_range_loop)] // Indices are those of the formula.

use super::Winograd;
use super::scheme::{F2x3, F2x5, F4x3, F4x7, MOST, One, Scheme, with_scheme};
use crate::buffer::Shared;
use crate::conv::Conv;
use crate::inference::algorithm::{ConvAlgorithm, Filters};
use crate::inference::packing::{Scaled, direct};
use crate::prefetch::Lines;
use crate::simd::{LANES, Vector};
use crate::threads::for_each;

/// Packs filters transformed in f64: what is rounded is the result alone. Plain ones are packed as the direct way's are.
pub(in crate::inference) fn pack(winograd: &Winograd, conv: &Conv, scaled: Scaled<'_>, packed: &mut [f32]) {
    match winograd.filters {
        Filters::Transformed => {
            with_scheme!(winograd.algorithm, D, A => pack_as::<D, A>(winograd, conv, scaled, packed))
        }
        Filters::Plain => direct(conv, winograd.panels, scaled, packed),
    }
}

/// Transforms the filters of some blocks of inputs and of `blocks` blocks of outputs, as the direct way has them, to
/// `[plane][input][output]`, planes so many numbers apart; on the way it asks for some of what comes next.
#[inline(always)]
pub(super) fn transform<V: Vector<Element = f32>, D: Scheme, A: Scheme>(
    from: &[f32],
    blocks: usize,
    (to, plane): (&mut [f32], usize),
    next: &mut Lines,
) {
    let width = blocks * LANES;
    let taps = D::KERNEL * A::KERNEL;
    let count = from.len() / (taps * width);
    assert!(to.len() >= (D::INPUTS * A::INPUTS - 1) * plane + count * width, "transformed filters do not fit");
    for input in 0..count {
        let first = input / LANES * LANES;
        // Numbers from a tap to the next: the inputs of a block lie between.
        let tap = LANES.min(count - first) * width;
        let from = &from[first * taps * width + (input - first) * width..];
        for block in 0..blocks {
            next.ask(1);
            let mut half = [[V::zero(); MOST]; MOST];
            for x in 0..A::KERNEL {
                let mut g = [V::zero(); MOST];
                for y in 0..D::KERNEL {
                    let at = (y * A::KERNEL + x) * tap + block * LANES;
                    // SAFETY: a row of this input's filters, which lie within `from`.
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
