//! The transforms of F(4, 3) along one axis, at the points 0, 3/4, −3/4, 3/2, −3/2 and ∞.
//!
//! A filter of three taps over six inputs gives four outputs: `Aᵀ (G g ⊙ Bᵀ d)`. With the usual points 0, ±1, ±2 and ∞
//! the powers in `A` reach from 1 to 8 and rounding errors are four times as large; these points have powers on either
//! side of 1, and all their products are exact. Only what they are divided by in `G` is rounded.

use crate::element::Element;
use crate::simd::Vector;

/// The inner points.
const A: f64 = 0.75;
/// The outer points.
const B: f64 = 1.5;

#[inline(always)]
fn number<V: Vector>(x: f64) -> V {
    V::splat(V::Element::from_f64(x))
}

/// `Bᵀ d`.
#[inline(always)]
pub(super) fn input<V: Vector>(d: [V; 6]) -> [V; 6] {
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
pub(super) fn filter<V: Vector>(g: [V; 3]) -> [V; 6] {
    let (inner, outer) = (number::<V>(A), number::<V>(B));
    let (inner_square, outer_square) = (number::<V>(A * A), number::<V>(B * B));
    let near = number::<V>(1.0 / (2.0 * A * A * (A * A - B * B)));
    let far = number::<V>(1.0 / (2.0 * B * B * (B * B - A * A)));
    let (even, odd) = (g[2].mul_add(inner_square, g[0]), g[1].mul(inner));
    let (far_even, far_odd) = (g[2].mul_add(outer_square, g[0]), g[1].mul(outer));
    [
        g[0].mul(number::<V>(1.0 / (A * A * B * B))),
        even.add(odd).mul(near),
        even.sub(odd).mul(near),
        far_even.add(far_odd).mul(far),
        far_even.sub(far_odd).mul(far),
        g[2],
    ]
}

/// `Aᵀ m`.
#[inline(always)]
pub(super) fn output<V: Vector>(m: [V; 6]) -> [V; 4] {
    let (inner, outer) = (number::<V>(A), number::<V>(B));
    let (inner_square, outer_square) = (number::<V>(A * A), number::<V>(B * B));
    let (inner_cube, outer_cube) = (number::<V>(A * A * A), number::<V>(B * B * B));
    let (even, odd) = (m[1].add(m[2]), m[1].sub(m[2]));
    let (far_even, far_odd) = (m[3].add(m[4]), m[3].sub(m[4]));
    [
        m[0].add(even).add(far_even),
        far_odd.mul_add(outer, odd.mul(inner)),
        far_even.mul_add(outer_square, even.mul(inner_square)),
        far_odd.mul_add(outer_cube, odd.mul_add(inner_cube, m[5])),
    ]
}

/// `A y`, the transpose of [`output`].
#[inline(always)]
pub(super) fn gradient<V: Vector>(y: [V; 4]) -> [V; 6] {
    let (inner, outer) = (number::<V>(A), number::<V>(B));
    let (inner_square, outer_square) = (number::<V>(A * A), number::<V>(B * B));
    let (even, odd) = (y[2].mul_add(inner_square, y[0]), y[3].mul_add(inner_square, y[1]).mul(inner));
    let (far_even, far_odd) = (y[2].mul_add(outer_square, y[0]), y[3].mul_add(outer_square, y[1]).mul(outer));
    [y[0], even.add(odd), even.sub(odd), far_even.add(far_odd), far_even.sub(far_odd), y[3]]
}

/// `Gᵀ m`, the transpose of [`filter`].
#[inline(always)]
pub(super) fn weights<V: Vector>(m: [V; 6]) -> [V; 3] {
    let (inner, outer) = (number::<V>(A), number::<V>(B));
    let (inner_square, outer_square) = (number::<V>(A * A), number::<V>(B * B));
    let near = number::<V>(1.0 / (2.0 * A * A * (A * A - B * B)));
    let far = number::<V>(1.0 / (2.0 * B * B * (B * B - A * A)));
    let (even, odd) = (m[1].add(m[2]).mul(near), m[1].sub(m[2]).mul(near));
    let (far_even, far_odd) = (m[3].add(m[4]).mul(far), m[3].sub(m[4]).mul(far));
    [
        m[0].mul_add(number::<V>(1.0 / (A * A * B * B)), even).add(far_even),
        far_odd.mul_add(outer, odd.mul(inner)),
        far_even.mul_add(outer_square, even.mul_add(inner_square, m[5])),
    ]
}
