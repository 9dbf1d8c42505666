//! The transforms along one axis, at the points 0, some `±p`, and ∞ (Lavin and Gray 2016; Barabasz and others 2018 on points).
//!
//! A filter of some taps over `N` inputs gives some outputs, `N + 1` of both together: `Aᵀ (G g ⊙ Bᵀ d)`. Filter and
//! outputs are polynomials: `G` takes the filter to its values at the points, over a number for each point, and `A` what the
//! outputs are multiplied with. So both are [`values`](Points::values), whatever their share of the `N + 1`, and their
//! transposes are [`coefficients`](Points::coefficients). `Bᵀ` knows the points alone.

use crate::element::Element;
use crate::simd::Vector;

/// Pairs of points at most.
const MOST_PAIRS: usize = 4;

/// 0, each of these numbers and what is opposite of it, and ∞: `N` points.
pub(crate) trait Points<const N: usize> {
    /// What the pairs are, apart from the sign.
    const PAIRS: &'static [f64];
    /// What follows from them.
    const TABLE: Table = Table::new(Self::PAIRS);

    /// `Bᵀ d`.
    #[inline(always)]
    fn input<V: Vector>(d: [V; N]) -> [V; N] {
        let mut t = d;
        // A row holds the coefficients of a polynomial that is 0 at all other points.
        t[0] = every_other(&d, 0, &Self::TABLE.all, Self::PAIRS.len());
        for (pair, point) in Self::PAIRS.iter().enumerate() {
            let others = &Self::TABLE.others[pair];
            let even = every_other(&d, 2, others, Self::PAIRS.len() - 1);
            let odd = every_other(&d, 1, others, Self::PAIRS.len() - 1);
            t[1 + 2 * pair] = odd.mul_add(number::<V>(*point), even);
            t[2 + 2 * pair] = odd.mul_add(number::<V>(-*point), even);
        }
        t[N - 1] = every_other(&d, 1, &Self::TABLE.all, Self::PAIRS.len());
        t
    }

    /// `G g`.
    #[inline(always)]
    fn filter<V: Vector, const KERNEL: usize>(g: [V; KERNEL]) -> [V; N] {
        Self::weighted(Self::values(g))
    }

    /// What a tap counts for in the value of its filter, of `kernel` taps, at a point.
    fn value_of_tap(point: usize, tap: usize, kernel: usize) -> f64 {
        match point.checked_sub(1) {
            None => f64::from(u8::from(tap == 0)),
            Some(_) if point + 1 == N => f64::from(u8::from(tap + 1 == kernel)),
            Some(row) if row % 2 == 0 => f64::powi(Self::PAIRS[row / 2], tap as i32),
            Some(row) => f64::powi(-Self::PAIRS[row / 2], tap as i32),
        }
    }

    /// `Gᵀ m`, the transpose of [`filter`](Self::filter).
    #[inline(always)]
    fn weights<V: Vector, const KERNEL: usize>(m: [V; N]) -> [V; KERNEL] {
        Self::coefficients(Self::weighted(m))
    }

    /// `Aᵀ m`.
    #[inline(always)]
    fn output<V: Vector, const OUT: usize>(m: [V; N]) -> [V; OUT] {
        Self::coefficients(m)
    }

    /// `A y`, the transpose of [`output`](Self::output).
    #[inline(always)]
    fn gradient<V: Vector, const OUT: usize>(y: [V; OUT]) -> [V; N] {
        Self::values(y)
    }

    /// The value at each point of the polynomial with these coefficients; at ∞ the last of them.
    #[inline(always)]
    fn values<V: Vector, const COUNT: usize>(c: [V; COUNT]) -> [V; N] {
        let mut values = [c[0]; N];
        for (pair, point) in Self::PAIRS.iter().enumerate() {
            let (even, odd) = halves(c, *point);
            values[1 + 2 * pair] = even.add(odd);
            values[2 + 2 * pair] = even.sub(odd);
        }
        values[N - 1] = c[COUNT - 1];
        values
    }

    /// The transpose of [`values`](Self::values).
    #[inline(always)]
    fn coefficients<V: Vector, const COUNT: usize>(m: [V; N]) -> [V; COUNT] {
        Self::coefficients_of(m, |_| 1.0)
    }

    /// `Aᵀ m`, of filters that were taken to their [`values`](Self::values) alone: what `G` would have multiplied these by
    /// is part of the coefficients here, where it costs next to nothing.
    #[inline(always)]
    fn output_of_values<V: Vector, const OUT: usize>(m: [V; N]) -> [V; OUT] {
        Self::coefficients_of(m, |row| Self::TABLE.weight(row))
    }

    /// The transpose of [`values`](Self::values), each row times its factor; that of ∞ has none.
    #[inline(always)]
    fn coefficients_of<V: Vector, const COUNT: usize>(m: [V; N], factor: impl Fn(usize) -> f64) -> [V; COUNT] {
        let mut c = [V::zero(); COUNT];
        c[0] = m[0].mul(number::<V>(factor(0)));
        for (pair, point) in Self::PAIRS.iter().enumerate() {
            let rows = [1 + 2 * pair, 2 + 2 * pair];
            let (even, odd) = (m[rows[0]].add(m[rows[1]]), m[rows[0]].sub(m[rows[1]]));
            let mut power = factor(rows[0]);
            c[0] = even.mul_add(number::<V>(power), c[0]);
            for i in 1..COUNT {
                power *= point;
                let (both, power) = (if i % 2 == 0 { even } else { odd }, number::<V>(power));
                c[i] = match pair {
                    0 if i + 1 == COUNT => both.mul(power).add(m[N - 1]),
                    0 => both.mul(power),
                    _ => both.mul_add(power, c[i]),
                };
            }
        }
        c
    }

    #[inline(always)]
    fn weighted<V: Vector>(mut m: [V; N]) -> [V; N] {
        for i in 0..N - 1 {
            m[i] = m[i].mul(number::<V>(Self::TABLE.weight(i)));
        }
        m
    }
}

/// Four points, whose products are all exact.
pub(crate) struct Four;

impl Points<4> for Four {
    const PAIRS: &'static [f64] = &[1.0];
}

/// Six points. With the usual ones, 0, ±1, ±2 and ∞, the powers reach from 1 to 8 and rounding errors are four times as
/// large; these have powers on either side of 1, and all their products are exact. Only what they are divided by in `G` is
/// rounded.
pub(crate) struct Six;

impl Points<6> for Six {
    const PAIRS: &'static [f64] = &[0.75, 1.5];
}

/// Ten points, for long filters along one axis: on either side of 1, as those of [`Six`].
pub(crate) struct Ten;

impl Points<10> for Ten {
    const PAIRS: &'static [f64] = &[0.5, 0.875, 1.25, 2.0];
}

/// What follows from pairs of points.
pub(crate) struct Table {
    /// Of each pair: the coefficients of `∏ (x − p²)` over all other pairs.
    others: [[f64; MOST_PAIRS + 1]; MOST_PAIRS],
    /// The same over all pairs.
    all: [f64; MOST_PAIRS + 1],
    /// What `G` multiplies the value at 0 by, then those at the points of each pair.
    weights: [f64; MOST_PAIRS + 1],
}

impl Table {
    const fn new(pairs: &[f64]) -> Self {
        let mut table = Self {
            others: [[0.0; MOST_PAIRS + 1]; MOST_PAIRS],
            all: product(pairs, pairs.len()),
            weights: [0.0; MOST_PAIRS + 1],
        };
        // Over the product of the differences to all other points.
        let mut of_zero = 1.0;
        let mut pair = 0;
        while pair < pairs.len() {
            table.others[pair] = product(pairs, pair);
            let square = pairs[pair] * pairs[pair];
            let (mut differences, mut other) = (2.0 * square, 0);
            while other < pairs.len() {
                if other != pair {
                    differences *= square - pairs[other] * pairs[other];
                }
                other += 1;
            }
            table.weights[1 + pair] = 1.0 / differences;
            of_zero *= -square;
            pair += 1;
        }
        table.weights[0] = 1.0 / of_zero;
        table
    }

    /// Of a row of `G`, but for the last.
    #[inline(always)]
    fn weight(&self, row: usize) -> f64 {
        self.weights[row.div_ceil(2)]
    }
}

/// The coefficients of `∏ (x − p²)` over all pairs but one, the constant first.
const fn product(pairs: &[f64], without: usize) -> [f64; MOST_PAIRS + 1] {
    let mut product = [0.0; MOST_PAIRS + 1];
    product[0] = 1.0;
    let mut pair = 0;
    while pair < pairs.len() {
        if pair != without {
            let square = pairs[pair] * pairs[pair];
            let mut at = MOST_PAIRS;
            while at > 0 {
                product[at] = product[at - 1] - square * product[at];
                at -= 1;
            }
            product[0] *= -square;
        }
        pair += 1;
    }
    product
}

#[inline(always)]
fn number<V: Vector>(x: f64) -> V {
    V::splat(V::Element::from_f64(x))
}

/// Every other input from `first` on, each times its coefficient; that of the last is 1.
#[inline(always)]
fn every_other<V: Vector>(d: &[V], first: usize, coefficients: &[f64], last: usize) -> V {
    let mut sum = d[first + 2 * last];
    for i in 0..last {
        sum = d[first + 2 * i].mul_add(number::<V>(coefficients[i]), sum);
    }
    sum
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
