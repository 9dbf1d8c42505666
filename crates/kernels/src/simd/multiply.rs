//! How the products of a convolution are made: of numbers as they are, or of pairs of numbers rounded to `bf16`.
//!
//! The micro-kernels go along *factors*. A factor is as long as a number: it is the number, or two numbers of 16 bits that
//! one instruction multiplies with two others, adding both products to a sum of 32 bits. Everything around the products,
//! sums included, is of numbers as they are.

use super::instruction_set::InstructionSet;
use super::vector::{Kernel, Vector};
use crate::element::Element;
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
    /// `from` must be valid for reading sixteen factors.
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
    /// `to` must be valid for writing sixteen cells.
    unsafe fn store(x: Self::Vector, to: *mut Self::Cell);
    /// Writes sixteen factors, each of the numbers of one lane of the first [`Multiply::DEPTH`] vectors.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing sixteen factors.
    unsafe fn store_together(vectors: [Self::Vector; 2], to: *mut Self::Number);
    /// Writes number `which` of each of sixteen factors. The first of them makes the others zeros, so it is written first.
    ///
    /// # Safety
    ///
    /// `to` must be valid for reading and writing sixteen factors. `which` must be below [`Multiply::DEPTH`].
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
        T::dispatch(set, Plain(kernel))
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
