//! Winograd's algorithms F(m×m, r×r): how tiles and filters are transformed (Lavin and Gray 2016).
#![allow(clippy::needless_range_loop)] // Indices run over registers that must stay registers.

use crate::conv::{Four, Points, Six, Ten};
use crate::simd::Vector;
use std::marker::PhantomData;

/// Calls a function with an algorithm's schemes down and across.
macro_rules! with_scheme {
    ($algorithm:expr, $down:ident, $across:ident => $call:expr) => {
        with_scheme! { $algorithm, $down, $across => $call,
            ConvAlgorithm::Winograd2x3 | ConvAlgorithm::Direct: F2x3, F2x3;
            ConvAlgorithm::Winograd4x3: F4x3, F4x3;
            ConvAlgorithm::Winograd2x5: F2x5, F2x5;
            ConvAlgorithm::WinogradLine4x3: F4x3, One;
            ConvAlgorithm::WinogradLine4x7: F4x7, One;
        }
    };
    ($algorithm:expr, $down:ident, $across:ident => $call:expr,
     $($($name:path)|+: $of_down:ty, $of_across:ty;)+) => {
        match $algorithm {
            $($($name)|+ => {
                type $down = $of_down;
                type $across = $of_across;
                $call
            })+
        }
    };
}
pub(super) use with_scheme;

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

/// F(`OUTPUTS`, `KERNEL`) at `INPUTS` points.
pub(super) struct At<P, const INPUTS: usize, const OUTPUTS: usize, const KERNEL: usize>(PhantomData<P>);

/// F(2×2, 3×3): 16 multiplications instead of 36.
pub(super) type F2x3 = At<Four, 4, 2, 3>;
/// F(4×4, 3×3): 36 instead of 144.
pub(super) type F4x3 = At<Six, 6, 4, 3>;
/// F(2×2, 5×5): 36 instead of 100.
pub(super) type F2x5 = At<Six, 6, 2, 5>;
/// F(4, 7) along one axis: 10 instead of 28.
pub(super) type F4x7 = At<Ten, 10, 4, 7>;
/// Nothing, along an axis where the filter has one tap.
pub(super) struct One;

impl<P: Points<I>, const I: usize, const O: usize, const K: usize> Scheme for At<P, I, O, K> {
    const OUTPUTS: usize = O;
    const KERNEL: usize = K;
    const INPUTS: usize = I;

    #[inline(always)]
    fn input<V: Vector<Element = f32>>(d: [V; MOST]) -> [V; MOST] {
        widen(P::input(narrow(d)))
    }

    #[inline(always)]
    fn output<V: Vector<Element = f32>>(m: [V; MOST]) -> [V; MOST] {
        widen(P::output_of_values::<V, O>(narrow(m)))
    }

    #[inline(always)]
    fn filters<V: Vector<Element = f32>>(g: [V; MOST]) -> [V; MOST] {
        widen(P::values(narrow::<V, K>(g)))
    }

    fn filter(row: usize, tap: usize) -> f64 {
        P::value_of_tap(row, tap, K)
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
