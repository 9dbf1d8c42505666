//! The transforms along one axis, at the points 0, 3/4, −3/4, 3/2, −3/2 and ∞.
//!
//! A filter of some taps over six inputs gives some outputs, seven of both together: `Aᵀ (G g ⊙ Bᵀ d)`. Filter and outputs
//! are polynomials: `G` takes the filter to its values at the points, over a number for each point, and `A` what the outputs
//! are multiplied with. So both are [`values`], with four outputs and three taps as with two and five, and their
//! transposes are [`coefficients`]. `Bᵀ` knows the points alone.
//!
//! With the usual points 0, ±1, ±2 and ∞ the powers reach from 1 to 8 and rounding errors are four times as large; these
//! points have powers on either side of 1, and all their products are exact. Only what they are divided by in `G` is
//! rounded.

use super::IN;
use crate::element::Element;
use crate::simd::Vector;

/// The inner points.
const A: f64 = 0.75;
/// The outer points.
const B: f64 = 1.5;
/// What `G` multiplies the values at each point by.
const WEIGHTS: [f64; IN] = [
    1.0 / (A * A * B * B),
    1.0 / (2.0 * A * A * (A * A - B * B)),
    1.0 / (2.0 * A * A * (A * A - B * B)),
    1.0 / (2.0 * B * B * (B * B - A * A)),
    1.0 / (2.0 * B * B * (B * B - A * A)),
    1.0,
];

#[inline(always)]
fn number<V: Vector>(x: f64) -> V {
    V::splat(V::Element::from_f64(x))
}

/// `Bᵀ d`.
#[inline(always)]
pub(crate) fn input<V: Vector>(d: [V; IN]) -> [V; IN] {
    let (inner, minus_inner, outer, minus_outer) = (number::<V>(A), number::<V>(-A), number::<V>(B), number::<V>(-B));
    let (inner_square, outer_square) = (number::<V>(-A * A), number::<V>(-B * B));
    let (sum, product) = (number::<V>(-A * A - B * B), number::<V>(A * A * B * B));
    let (even, odd) = (d[2].mul_add(outer_square, d[4]), d[1].mul_add(outer_square, d[3]));
    let (far_even, far_odd) = (d[2].mul_add(inner_square, d[4]), d[1].mul_add(inner_square, d[3]));
    [
        d[2].mul_add(sum, d[0].mul_add(product, d[4])),
        odd.mul_add(inner, even),
        odd.mul_add(minus_inner, even),
        far_odd.mul_add(outer, far_even),
        far_odd.mul_add(minus_outer, far_even),
        d[3].mul_add(sum, d[1].mul_add(product, d[5])),
    ]
}

/// `G g`.
#[inline(always)]
pub(super) fn filter<V: Vector, const KERNEL: usize>(g: [V; KERNEL]) -> [V; IN] {
    weighted(values(g))
}

/// An entry of `G` for a filter of so many taps.
pub(crate) fn filter_entry(row: usize, tap: usize, kernel: usize) -> f64 {
    let power = match [0.0, A, -A, B, -B].get(row) {
        Some(point) => f64::powi(*point, tap as i32),
        None => f64::from(u8::from(tap + 1 == kernel)),
    };
    WEIGHTS[row] * power
}

/// `Gᵀ m`, the transpose of [`filter`].
#[inline(always)]
pub(super) fn weights<V: Vector, const KERNEL: usize>(m: [V; IN]) -> [V; KERNEL] {
    coefficients(weighted(m))
}

/// `Aᵀ m`.
#[inline(always)]
pub(crate) fn output<V: Vector, const OUT: usize>(m: [V; IN]) -> [V; OUT] {
    coefficients(m)
}

/// `A y`, the transpose of [`output`].
#[inline(always)]
pub(super) fn gradient<V: Vector, const OUT: usize>(y: [V; OUT]) -> [V; IN] {
    values(y)
}

/// The value at each point of the polynomial with these coefficients; at ∞ the last of them.
#[inline(always)]
fn values<V: Vector, const N: usize>(c: [V; N]) -> [V; IN] {
    let (even, odd) = halves(c, A);
    let (far_even, far_odd) = halves(c, B);
    [c[0], even.add(odd), even.sub(odd), far_even.add(far_odd), far_even.sub(far_odd), c[N - 1]]
}

/// The even and the odd part of a polynomial's value at a point.
#[inline(always)]
fn halves<V: Vector, const N: usize>(c: [V; N], point: f64) -> (V, V) {
    let square = number::<V>(point * point);
    let (mut even, mut odd) = (c[(N - 1) / 2 * 2], c[(N - 2) / 2 * 2 + 1]);
    for i in (0..N.saturating_sub(2)).rev() {
        match i % 2 {
            0 => even = even.mul_add(square, c[i]),
            _ => odd = odd.mul_add(square, c[i]),
        }
    }
    (even, odd.mul(number::<V>(point)))
}

/// The transpose of [`values`].
#[inline(always)]
fn coefficients<V: Vector, const N: usize>(m: [V; IN]) -> [V; N] {
    let (near, far) = ([m[1].add(m[2]), m[1].sub(m[2])], [m[3].add(m[4]), m[3].sub(m[4])]);
    let mut c = [V::zero(); N];
    c[0] = m[0].add(near[0]).add(far[0]);
    let (mut inner, mut outer) = (1.0, 1.0);
    for i in 1..N {
        (inner, outer) = (inner * A, outer * B);
        let own = near[i % 2].mul(number::<V>(inner));
        let own = if i + 1 == N { own.add(m[5]) } else { own };
        c[i] = far[i % 2].mul_add(number::<V>(outer), own);
    }
    c
}

#[inline(always)]
fn weighted<V: Vector>(mut m: [V; IN]) -> [V; IN] {
    for i in 0..IN - 1 {
        m[i] = m[i].mul(number::<V>(WEIGHTS[i]));
    }
    m
}
