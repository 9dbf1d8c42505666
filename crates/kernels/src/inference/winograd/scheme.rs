//! Winograd's algorithms F(m×m, r×r): how tiles and filters are transformed (Lavin and Gray 2016).
#![allow(clippy::needless_range_loop)] // Indices run over registers that must stay registers.

use crate::conv::{Points, Six, Ten};
use crate::simd::Vector;

/// The longest transformed row.
pub(super) const MOST: usize = 10;

/// One algorithm along one axis: `outputs` outputs of a filter of `kernel` taps by `inputs` multiplications.
pub(super) trait Scheme {
    const OUTPUTS: usize;
    const KERNEL: usize;
    const INPUTS: usize;

    /// `Bᵀ d`; what lies beyond `INPUTS` is not looked at.
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST];
    /// `Aᵀ m`, over what `G` divides by.
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST];
    /// The values of a filter at the points; what lies beyond `KERNEL` is not looked at. What `G` divides them by is part of
    /// [`output`](Self::output).
    fn filters<V: Vector<Element = f32>>(g: [V; MOST]) -> [V; MOST];
    /// The same, row by row: what each tap of a filter counts for in each number of the transformed one.
    fn filter(row: usize, tap: usize) -> f64;
}

/// F(2×2, 3×3): 16 multiplications instead of 36, with the points 0, 1, −1, ∞.
pub(super) struct F2x3;
/// F(4×4, 3×3): 36 instead of 144; at the points of [`Six`].
pub(super) struct F4x3;
/// F(4, 7) along one axis: 10 instead of 28; at the points of [`Ten`].
pub(super) struct F4x7;
/// Nothing, along an axis where the filter has one tap.
pub(super) struct One;
/// F(2×2, 5×5): 36 instead of 100; at the points of [`Six`].
pub(super) struct F2x5;

impl Scheme for F2x3 {
    const OUTPUTS: usize = 2;
    const KERNEL: usize = 3;
    const INPUTS: usize = 4;

    #[inline(always)]
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST] {
        let mut t = d;
        t[0] = d[0].sub(d[2]);
        t[1] = d[1].add(d[2]);
        t[2] = d[2].sub(d[1]);
        t[3] = d[3].sub(d[1]);
        t
    }

    #[inline(always)]
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST] {
        let half = V::splat(0.5);
        let mut y = m;
        y[0] = m[1].add(m[2]).mul_add(half, m[0]);
        y[1] = m[1].sub(m[2]).mul_add(half, m[3]);
        y
    }

    #[inline(always)]
    fn filters<V: Vector<Element = f32>>(g: [V; MOST]) -> [V; MOST] {
        let even = g[0].add(g[2]);
        widen([g[0], even.add(g[1]), even.sub(g[1]), g[2]])
    }

    fn filter(row: usize, tap: usize) -> f64 {
        [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [0.0, 0.0, 1.0]][row][tap]
    }
}

impl Scheme for F4x3 {
    const OUTPUTS: usize = 4;
    const KERNEL: usize = 3;
    const INPUTS: usize = 6;

    #[inline(always)]
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST] {
        widen(Six::input(narrow(d)))
    }

    #[inline(always)]
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST] {
        widen(Six::output_of_values::<V, 4>(narrow(m)))
    }

    #[inline(always)]
    fn filters<V: Vector<Element = f32>>(g: [V; MOST]) -> [V; MOST] {
        widen(Six::values([g[0], g[1], g[2]]))
    }

    fn filter(row: usize, tap: usize) -> f64 {
        Six::value_of_tap(row, tap, 3)
    }
}

impl Scheme for F2x5 {
    const OUTPUTS: usize = 2;
    const KERNEL: usize = 5;
    const INPUTS: usize = 6;

    #[inline(always)]
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST] {
        F4x3::input(d)
    }

    #[inline(always)]
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST] {
        widen(Six::output_of_values::<V, 2>(narrow(m)))
    }

    #[inline(always)]
    fn filters<V: Vector<Element = f32>>(g: [V; MOST]) -> [V; MOST] {
        widen(Six::values([g[0], g[1], g[2], g[3], g[4]]))
    }

    fn filter(row: usize, tap: usize) -> f64 {
        Six::value_of_tap(row, tap, 5)
    }
}

impl Scheme for F4x7 {
    const OUTPUTS: usize = 4;
    const KERNEL: usize = 7;
    const INPUTS: usize = 10;

    #[inline(always)]
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST] {
        Ten::input(d)
    }

    #[inline(always)]
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST] {
        widen(Ten::output_of_values::<V, 4>(m))
    }

    #[inline(always)]
    fn filters<V: Vector<Element = f32>>(g: [V; MOST]) -> [V; MOST] {
        Ten::values(narrow::<V, 7>(g))
    }

    fn filter(row: usize, tap: usize) -> f64 {
        Ten::value_of_tap(row, tap, 7)
    }
}

impl Scheme for One {
    const OUTPUTS: usize = 1;
    const KERNEL: usize = 1;
    const INPUTS: usize = 1;

    #[inline(always)]
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST] {
        d
    }

    #[inline(always)]
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST] {
        m
    }

    #[inline(always)]
    fn filters<V: Vector<Element = f32>>(g: [V; MOST]) -> [V; MOST] {
        g
    }

    fn filter(_: usize, _: usize) -> f64 {
        1.0
    }
}

#[inline(always)]
fn narrow<V: Vector<Element = f32>, const N: usize>(from: [V; MOST]) -> [V; N] {
    std::array::from_fn(|i| from[i])
}

#[inline(always)]
fn widen<V: Vector<Element = f32>, const N: usize>(from: [V; N]) -> [V; MOST] {
    let mut to = [V::zero(); MOST];
    to[..N].copy_from_slice(&from);
    to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Portable;

    /// Along one axis: the transformed way is the filter applied to each window.
    fn agrees<S: Scheme>() {
        let splat = |x: f64| Portable::<f32>::splat(x as f32);
        let first = |v: Portable<f32>| {
            let mut lanes = [0.0_f32; crate::simd::LANES];
            // SAFETY: sixteen numbers.
            unsafe { v.store(lanes.as_mut_ptr()) };
            f64::from(lanes[0])
        };
        let inputs: Vec<f64> = (0..S::INPUTS).map(|i| ((i * 7 + 3) % 5) as f64 - 1.5).collect();
        let taps: Vec<f64> = (0..S::KERNEL).map(|i| ((i * 5 + 2) % 7) as f64 - 2.25).collect();
        let mut d = [splat(0.0); MOST];
        (0..S::INPUTS).for_each(|i| d[i] = splat(inputs[i]));
        let mut m = S::input(d);
        for (row, m) in m.iter_mut().take(S::INPUTS).enumerate() {
            let filter: f64 = (0..S::KERNEL).map(|tap| S::filter(row, tap) * taps[tap]).sum();
            *m = m.mul(splat(filter));
        }
        let y = S::output(m);
        for (i, y) in y.iter().take(S::OUTPUTS).enumerate() {
            let expected: f64 = (0..S::KERNEL).map(|tap| taps[tap] * inputs[i + tap]).sum();
            assert!((first(*y) - expected).abs() < 1e-4, "output {i} of {}: {}, not {expected}", S::OUTPUTS, first(*y));
        }
    }

    #[test]
    fn every_scheme_is_a_filter() {
        agrees::<F2x3>();
        agrees::<F4x3>();
        agrees::<F2x5>();
        agrees::<F4x7>();
        agrees::<One>();
    }
}
