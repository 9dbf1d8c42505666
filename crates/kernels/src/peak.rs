//! How fast multiply-adds can be at all. Benchmarks alone use it: every other kernel is measured against it.

use crate::element::Element;
use crate::narrow::Format;
use crate::simd::{Dot, DotKernel, InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::threads::{for_each, threads};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Registers with independent chains of multiply-adds: more than the latency of one times what starts in a cycle.
const CHAINS: usize = 12;
/// Multiply-adds of a chain: some milliseconds.
const LENGTH: usize = 1 << 21;

/// Floating-point operations a second of a loop of `f32` multiply-adds that touches registers only, on all threads.
pub fn multiply_adds(set: InstructionSet) -> f64 {
    let tasks = threads();
    let started = Instant::now();
    let chains = AtomicUsize::new(0);
    for_each(tasks, |_| {
        chains.fetch_add(dispatch::<f32, _>(set, Chains), Ordering::Relaxed);
    });
    let numbers = (chains.into_inner() * LENGTH * LANES) as f64;
    2.0 * numbers / started.elapsed().as_secs_f64()
}

/// The same of products of narrow numbers: multiplications and additions a second.
pub fn products<F: Format>(set: InstructionSet) -> f64 {
    F::peak(set)
}

pub(crate) fn compute_products<F: Format>(set: InstructionSet) -> f64 {
    let started = Instant::now();
    let products = AtomicUsize::new(0);
    for_each(threads(), |_| {
        products.fetch_add(F::dispatch(set, Products), Ordering::Relaxed);
    });
    2.0 * products.into_inner() as f64 / started.elapsed().as_secs_f64()
}

struct Products;

impl<F: Format> DotKernel<F> for Products {
    /// Products of a channel with a weight.
    type Output = usize;

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) -> usize {
        // As many sums as the micro-kernel has, at most. Weights of their own, so that no product is that of another.
        let count = CHAINS.min(D::PIXELS * D::PANELS);
        let weights = black_box([0x0101_0101_u32; CHAINS * LANES]);
        let mut sums = [0_u32; LANES];
        // SAFETY: sixteen words each.
        unsafe {
            let mut chains = [D::sum(sums.as_ptr()); CHAINS];
            for step in 0..black_box(LENGTH) {
                let word = D::word(step as u32 & 0x0101_0101);
                #[allow(clippy::needless_range_loop)]
                for i in 0..count {
                    chains[i] = D::dot(D::load(weights.as_ptr().add(i * LANES)), word, chains[i]);
                }
            }
            for chain in &chains[..count] {
                D::store(*chain, sums.as_mut_ptr());
                black_box(&sums);
            }
        }
        count * LENGTH * LANES * D::PER_WORD
    }
}

struct Chains;

impl<T: Element> Kernel<T> for Chains {
    /// How many there are.
    type Output = usize;

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) -> usize {
        let [factor, addend] = [0.999, 0.001].map(|x| V::splat(T::from_f64(black_box(x))));
        let count = CHAINS / V::REGISTERS;
        let mut chains = [V::splat(T::ONE); CHAINS];
        for _ in 0..black_box(LENGTH) {
            // By counting, so that the chains stay in registers.
            #[allow(clippy::needless_range_loop)]
            for i in 0..count {
                chains[i] = chains[i].mul_add(factor, addend);
            }
        }
        let mut sum = V::zero();
        #[allow(clippy::needless_range_loop)]
        for i in 0..CHAINS {
            sum = sum.add(chains[i]);
        }
        let mut numbers = [T::ZERO; LANES];
        // SAFETY: sixteen numbers.
        unsafe { sum.store(numbers.as_mut_ptr()) };
        black_box(numbers);
        count
    }
}
