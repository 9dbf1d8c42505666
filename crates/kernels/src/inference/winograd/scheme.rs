//! Winograd's algorithms F(m×m, r×r): how tiles and filters are transformed (Lavin and Gray 2016).
#![allow(clippy::needless_range_loop)] // Indices run over registers that must stay registers.

use crate::conv::transforms;
use crate::simd::Vector;

/// The longest transformed row.
pub(super) const MOST: usize = 6;

/// One algorithm along one axis: `outputs` outputs of a filter of `kernel` taps by `inputs` multiplications.
pub(super) trait Scheme {
    const OUTPUTS: usize;
    const KERNEL: usize;
    const INPUTS: usize;

    /// `Bᵀ d`; what lies beyond `INPUTS` is not looked at.
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST];
    /// `Aᵀ m`.
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST];
    /// `G`, row by row: what each tap of a filter counts for in each number of the transformed one.
    fn filter(row: usize, tap: usize) -> f64;
}

/// F(2×2, 3×3): 16 multiplications instead of 36, with the points 0, 1, −1, ∞.
pub(super) struct F2x3;
/// F(4×4, 3×3): 36 instead of 144; see [`transforms`].
pub(super) struct F4x3;
/// F(2×2, 5×5): 36 instead of 100; see [`transforms`].
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
        let mut y = m;
        y[0] = m[0].add(m[1]).add(m[2]);
        y[1] = m[1].sub(m[2]).add(m[3]);
        y
    }

    fn filter(row: usize, tap: usize) -> f64 {
        [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]][row][tap]
    }
}

impl Scheme for F4x3 {
    const OUTPUTS: usize = 4;
    const KERNEL: usize = 3;
    const INPUTS: usize = 6;

    #[inline(always)]
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST] {
        widen(transforms::input([d[0], d[1], d[2], d[3], d[4], d[5]]))
    }

    #[inline(always)]
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST] {
        widen(transforms::output::<V, 4>([m[0], m[1], m[2], m[3], m[4], m[5]]))
    }

    fn filter(row: usize, tap: usize) -> f64 {
        transforms::filter_entry(row, tap, 3)
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
        widen(transforms::output::<V, 2>([m[0], m[1], m[2], m[3], m[4], m[5]]))
    }

    fn filter(row: usize, tap: usize) -> f64 {
        transforms::filter_entry(row, tap, 5)
    }
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
    }
}
