//! Winograd's algorithms F(m×m, r×r): how tiles and filters are transformed (Lavin and Gray 2016).
#![allow(clippy::needless_range_loop)] // Indices run over registers that must stay registers.

use crate::conv::transforms;
use crate::simd::Vector;

/// The longest transformed row.
pub(super) const MOST: usize = 8;

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
/// F(6×6, 3×3): 64 instead of 324, with the points 0, ±1, ±2, ±1/2, ∞.
pub(super) struct F6x3;

#[inline(always)]
fn number<V: Vector<Element = f32>>(x: f32) -> V {
    V::splat(x)
}

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

/// Of F(6×6, 3×3): for each point its two factors in `G`'s rows are `value at the point · weight`.
const SIX: [(f64, f64); 7] = [
    (0.0, 1.0),
    (1.0, -2.0 / 9.0),
    (-1.0, -2.0 / 9.0),
    (2.0, 1.0 / 90.0),
    (-2.0, 1.0 / 90.0),
    (0.5, 32.0 / 45.0),
    (-0.5, 32.0 / 45.0),
];

impl Scheme for F6x3 {
    const OUTPUTS: usize = 6;
    const KERNEL: usize = 3;
    const INPUTS: usize = 8;

    #[inline(always)]
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST] {
        let mut t = d;
        // The polynomials of the other points: ±1 and ±2 share their even and odd halves, and so do ±1/2.
        t[0] = d[2].sub(d[4]).mul_add(number(-5.25), d[0].sub(d[6]));
        t[7] = d[3].sub(d[5]).mul_add(number(5.25), d[7].sub(d[1]));
        let (even, odd) = (d[4].mul_add(number(-4.25), d[2].add(d[6])), d[3].mul_add(number(-4.25), d[1].add(d[5])));
        t[1] = even.add(odd);
        t[2] = even.sub(odd);
        let even = d[2].mul_add(number(0.25), d[4].mul_add(number(-1.25), d[6]));
        let odd = d[1].mul_add(number(0.5), d[3].mul_add(number(-2.5), d[5].mul(number(2.0))));
        t[3] = even.add(odd);
        t[4] = even.sub(odd);
        let even = d[4].mul_add(number(-5.0), d[2].mul_add(number(4.0), d[6]));
        let odd = d[1].mul_add(number(2.0), d[3].mul_add(number(-2.5), d[5].mul(number(0.5))));
        t[5] = even.add(odd);
        t[6] = even.sub(odd);
        t
    }

    #[inline(always)]
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST] {
        let (s1, d1) = (m[1].add(m[2]), m[1].sub(m[2]));
        let (s2, d2) = (m[3].add(m[4]), m[3].sub(m[4]));
        let (s3, d3) = (m[5].add(m[6]), m[5].sub(m[6]));
        let mut y = m;
        y[0] = m[0].add(s1).add(s2).add(s3);
        y[1] = d3.mul_add(number(0.5), d2.mul_add(number(2.0), d1));
        y[2] = s3.mul_add(number(0.25), s2.mul_add(number(4.0), s1));
        y[3] = d3.mul_add(number(0.125), d2.mul_add(number(8.0), d1));
        y[4] = s3.mul_add(number(0.0625), s2.mul_add(number(16.0), s1));
        y[5] = d3.mul_add(number(0.03125), d2.mul_add(number(32.0), d1)).add(m[7]);
        y
    }

    fn filter(row: usize, tap: usize) -> f64 {
        match SIX.get(row) {
            Some((point, weight)) => weight * point.powi(tap as i32),
            None => f64::from(u8::from(tap == 2)),
        }
    }
}

#[inline(always)]
fn widen<V: Vector<Element = f32>, const N: usize>(from: [V; N]) -> [V; MOST] {
    let mut to = [V::zero(); MOST];
    for i in 0..N {
        to[i] = from[i];
    }
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
        agrees::<F6x3>();
    }
}
