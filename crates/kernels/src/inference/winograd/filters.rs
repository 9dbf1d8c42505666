//! Filters, transformed and packed: `[panel][plane][input][output]`.

use super::scheme::{F2x3, F2x5, F4x3, F6x3, MOST, Scheme};
use super::{Winograd, with_scheme};
use crate::buffer::Shared;
use crate::conv::Conv;
use crate::inference::choice::ConvAlgorithm;
use crate::inference::packing::Scaled;
use crate::simd::LANES;
use crate::threads::for_each;

/// Transforms in f64: what is rounded is the result alone.
pub(in crate::inference) fn pack(winograd: &Winograd, conv: &Conv, scaled: Scaled<'_>, packed: &mut [f32]) {
    with_scheme!(winograd.algorithm, S => pack_as::<S>(winograd, conv, scaled, packed));
}

fn pack_as<S: Scheme>(winograd: &Winograd, conv: &Conv, scaled: Scaled<'_>, packed: &mut [f32]) {
    let shared = Shared::new(packed);
    let table: Vec<[f64; MOST]> = (0..S::INPUTS)
        .map(|row| std::array::from_fn(|tap| if tap < S::KERNEL { S::filter(row, tap) } else { 0.0 }))
        .collect();
    for_each(winograd.panel_count(), |panel| {
        let first = panel * winograd.panels;
        let width = winograd.panels.min(winograd.out_blocks() - first) * LANES;
        // SAFETY: each task has a panel of its own.
        let packed = unsafe { shared.part(panel * winograd.panel_len()..(panel + 1) * winograd.panel_len()) };
        let plane = winograd.filter_plane();
        for input in 0..winograd.ins {
            for lane in 0..width.min((winograd.outs - first * LANES).min(width)) {
                let out = first * LANES + lane;
                let mut half = [[0.0_f64; MOST]; MOST];
                for (x, half) in half.iter_mut().enumerate().take(S::KERNEL) {
                    for (row, entries) in half.iter_mut().zip(&table) {
                        for y in 0..S::KERNEL {
                            *row += entries[y] * f64::from(scaled.weight(conv, out, input, y * S::KERNEL + x));
                        }
                    }
                }
                for y in 0..S::INPUTS {
                    for (x, entries) in table.iter().enumerate() {
                        let value: f64 = (0..S::KERNEL).map(|tap| entries[tap] * half[tap][y]).sum();
                        packed[(y * S::INPUTS + x) * plane + input * width + lane] = value as f32;
                    }
                }
            }
        }
    });
}
