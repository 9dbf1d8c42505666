//! How the products of a convolution are made: of numbers as they are, or of pairs of numbers rounded to `bf16`.
//!
//! The micro-kernels go along *factors*. A factor is as long as a number: it is the number, or two numbers of 16 bits that
//! one instruction multiplies with two others, adding both products to a sum of 32 bits. Everything around the products,
//! sums included, is of numbers as they are.

#[cfg(target_arch = "x86_64")]
use super::dot_avx512::Bf16;
use super::{InstructionSet, Kernel, LANES, Portable, Vector, dispatch};
use crate::element::Element;
use half::bf16;
use std::marker::PhantomData;

/// A computation written for any [`Multiply`].
pub trait ProductKernel<T> {
    /// What it gives.
    type Output;
    /// The computation; `#[inline(always)]`, and so must be everything it calls with vectors.
    fn run<M: Multiply<Number = T>>(self) -> Self::Output;
}

/// How factors are made and multiplied.
pub trait Multiply: Copy {
    /// What is multiplied, and summed up.
    type Number: Element;
    /// Sixteen sums.
    type Vector: Vector<Element = Self::Number>;
    /// Sixteen factors.
    type Factors: Copy;
    /// A number within a factor.
    type Cell: Copy;
    /// Numbers of a factor.
    const DEPTH: usize;

    /// A number, as it is multiplied.
    fn cell(x: Self::Number) -> Self::Cell;
    /// # Safety
    ///
    /// `from` must be valid for reading [`LANES`] factors.
    unsafe fn load(from: *const Self::Number) -> Self::Factors;
    /// The same factor in every lane.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reading a factor.
    unsafe fn broadcast(from: *const Self::Number) -> Self::Factors;
    /// `sum` plus the products of `a` and `b`.
    fn multiply_add(a: Self::Factors, b: Self::Factors, sum: Self::Vector) -> Self::Vector;
    /// Writes sixteen numbers as cells one behind the other.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing [`LANES`] cells.
    unsafe fn store(x: Self::Vector, to: *mut Self::Cell);
    /// Writes sixteen factors, each of the numbers of one lane of the first [`Multiply::DEPTH`] vectors.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing [`LANES`] factors.
    unsafe fn store_together(vectors: [Self::Vector; 2], to: *mut Self::Number);
    /// Writes number `which` of each of sixteen factors. The first of them makes the others zeros, so it is written first.
    ///
    /// # Safety
    ///
    /// `to` must be valid for reading and writing [`LANES`] factors. `which` must be below [`Multiply::DEPTH`].
    unsafe fn store_beside(x: Self::Vector, which: usize, to: *mut Self::Number);
}

/// Memory of numbers as memory of cells.
pub(crate) fn cells<M: Multiply>(numbers: &mut [M::Number]) -> &mut [M::Cell] {
    const { assert!(size_of::<M::Cell>() * M::DEPTH == size_of::<M::Number>()) };
    // SAFETY: as many bytes; cells are numbers or halves of them, which need no more alignment, and any bits are one.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), numbers.len() * M::DEPTH) }
}

/// A way of multiplying, whatever the instruction set.
pub trait Arithmetic {
    /// What is multiplied.
    type Number: Element;
    /// Numbers of a factor.
    const DEPTH: usize;
    /// Runs a kernel compiled for an instruction set.
    fn dispatch<K: ProductKernel<Self::Number>>(set: InstructionSet, kernel: K) -> K::Output;
}

/// Numbers as they are.
pub struct Exact<T>(PhantomData<T>);

impl<T: Element> Arithmetic for Exact<T> {
    type Number = T;
    const DEPTH: usize = 1;

    #[inline]
    fn dispatch<K: ProductKernel<T>>(set: InstructionSet, kernel: K) -> K::Output {
        dispatch(set, Plain(kernel))
    }
}

/// A kernel that multiplies numbers as they are.
struct Plain<K>(K);

impl<T: Element, K: ProductKernel<T>> Kernel<T> for Plain<K> {
    type Output = K::Output;

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) -> K::Output {
        self.0.run::<Whole<V>>()
    }
}

/// Vectors are factors.
#[derive(Clone, Copy)]
pub struct Whole<V>(PhantomData<V>);

impl<V: Vector> Multiply for Whole<V> {
    type Number = V::Element;
    type Vector = V;
    type Factors = V;
    type Cell = V::Element;
    const DEPTH: usize = 1;

    #[inline(always)]
    fn cell(x: V::Element) -> V::Element {
        x
    }
    #[inline(always)]
    unsafe fn load(from: *const V::Element) -> V {
        // SAFETY: as the caller says.
        unsafe { V::load(from) }
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const V::Element) -> V {
        // SAFETY: as the caller says.
        V::splat(unsafe { *from })
    }
    #[inline(always)]
    fn multiply_add(a: V, b: V, sum: V) -> V {
        a.mul_add(b, sum)
    }
    #[inline(always)]
    unsafe fn store(x: V, to: *mut V::Element) {
        // SAFETY: as the caller says.
        unsafe { x.store(to) }
    }
    #[inline(always)]
    unsafe fn store_together([x, _]: [V; 2], to: *mut V::Element) {
        // SAFETY: as the caller says.
        unsafe { x.store(to) }
    }
    #[inline(always)]
    unsafe fn store_beside(x: V, _: usize, to: *mut V::Element) {
        // SAFETY: as the caller says.
        unsafe { x.store(to) }
    }
}

/// Pairs of `bf16`.
pub struct Halves(());

impl Arithmetic for Halves {
    type Number = f32;
    const DEPTH: usize = 2;

    #[inline]
    fn dispatch<K: ProductKernel<f32>>(set: InstructionSet, kernel: K) -> K::Output {
        if cfg!(test) {
            unreachable!("unit tests run no kernel");
        }
        #[cfg(target_arch = "x86_64")]
        if cfg!(not(without = "avx512"))
            && set == InstructionSet::Avx512
            && let Some(cpu) = Bf16::new()
        {
            return cpu.run_products(kernel);
        }
        let _ = set;
        kernel.run::<Pairs>()
    }
}

/// Pairs of `bf16` in plain Rust, to check against.
#[derive(Clone, Copy)]
struct Pairs;

impl Multiply for Pairs {
    type Number = f32;
    type Vector = Portable<f32>;
    type Factors = [u32; LANES];
    type Cell = bf16;
    const DEPTH: usize = 2;

    #[inline(always)]
    fn cell(x: f32) -> bf16 {
        bf16::from_f32(x)
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [u32; LANES] {
        // SAFETY: the caller vouches for sixteen factors, which may be any bits.
        unsafe { from.cast::<[u32; LANES]>().read() }
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> [u32; LANES] {
        // SAFETY: the caller vouches for a factor.
        [unsafe { from.cast::<u32>().read() }; LANES]
    }
    #[inline(always)]
    fn multiply_add(a: [u32; LANES], b: [u32; LANES], sum: Portable<f32>) -> Portable<f32> {
        let half = |factors: [u32; LANES], which: usize| {
            Portable(factors.map(|factor| f32::from_bits(if which == 0 { factor << 16 } else { factor & 0xffff_0000 })))
        };
        half(a, 1).mul_add(half(b, 1), half(a, 0).mul_add(half(b, 0), sum))
    }
    #[inline(always)]
    unsafe fn store(x: Portable<f32>, to: *mut bf16) {
        // SAFETY: as the caller says.
        unsafe { x.store_bf16(to) }
    }
    #[inline(always)]
    unsafe fn store_together(vectors: [Portable<f32>; 2], to: *mut f32) {
        for (which, x) in vectors.into_iter().enumerate() {
            // SAFETY: as the caller says.
            unsafe { Self::store_beside(x, which, to) }
        }
    }
    #[inline(always)]
    unsafe fn store_beside(x: Portable<f32>, which: usize, to: *mut f32) {
        for (lane, x) in x.0.into_iter().enumerate() {
            // SAFETY: within the sixteen factors that the caller vouches for.
            unsafe {
                let to = to.cast::<[bf16; 2]>().add(lane);
                let mut both = if which == 0 { [bf16::ZERO; 2] } else { to.read() };
                both[which] = bf16::from_f32(x);
                to.write(both);
            }
        }
    }
}
