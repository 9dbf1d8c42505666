//! Sixteen numbers at a time, on whatever the CPU has.
//!
//! A [`Kernel`] is written once, against [`Vector`], and every function it calls with vectors is `#[inline(always)]`.
//! [`Element::dispatch`] runs it inside a function that is compiled for the chosen [`InstructionSet`], so the whole kernel
//! is compiled for it; nothing needs `-C target-cpu`.
//!
//! That the CPU has the instructions is proved by a value. `Avx512` and `Avx2` can only be got from their `new`, which
//! asks the CPU, as can `Neon`. Their vectors are types that no other module can name, so the only way to one is a kernel given to
//! `Avx512::run` or `Avx2::run`.
//!
//! The unit tests of this crate run no kernel, those in `tests` do. So with `cfg(test)` none is compiled: it would be a
//! second copy of the whole crate. With `cfg(without = "avx512")`, or `"avx2"`, kernels are not compiled for that set, and no
//! CPU is said to have it: `.ci/sanitize` runs one set.

#[cfg(any(target_arch = "aarch64", target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
#[macro_use]
mod macros;

#[cfg(test)]
mod agreement;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dot;
#[cfg(target_arch = "x86_64")]
mod dot_avx2;
#[cfg(target_arch = "x86_64")]
mod dot_avx512;
#[cfg(target_arch = "x86_64")]
mod doubles;
#[cfg(not(target_arch = "wasm32"))]
mod halves;
mod instruction_set;
mod multiply;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(any(
    target_arch = "aarch64",
    all(target_arch = "x86_64", not(miri)),
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod quarters;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod sse2;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use dot::{Dot, DotKernel, run_bf16, run_u8, set_bf16, set_u8};
#[cfg(not(target_arch = "wasm32"))]
pub use halves::Halves;
pub use instruction_set::InstructionSet;
pub(crate) use multiply::cells;
pub use multiply::{Arithmetic, Exact, Multiply, ProductKernel, Whole};
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use portable::Portable;

use crate::element::Element;
use half::bf16;

/// What [`InstructionSet::Portable`] computes `f32` with: the registers that every CPU of the target has, where they are known
/// here, else plain Rust, which takes the compiler longer. The bits are the same.
#[cfg(any(all(target_arch = "x86_64", not(miri)), all(target_arch = "wasm32", target_feature = "simd128")))]
type Baseline = quarters::Quarters;
#[cfg(not(any(all(target_arch = "x86_64", not(miri)), all(target_arch = "wasm32", target_feature = "simd128"))))]
type Baseline = Portable<f32>;

/// Numbers in a `Vector`, and channels in a block of the layout.
pub const LANES: usize = 16;

/// Asks for the cache line at an address, which need not be a valid one.
#[inline(always)]
pub(crate) fn prefetch<T>(from: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint: nothing is read, and an address that is not valid is passed over.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(from.cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = from;
}

/// A computation written for any [`Vector`].
pub trait Kernel<T> {
    /// What it gives.
    type Output;
    /// The computation; `#[inline(always)]`, and so must be everything it calls with vectors.
    fn run<V: Vector<Element = T>>(self) -> Self::Output;
}

/// Runs a kernel compiled for an instruction set. A set this CPU lacks falls back to the portable one.
#[inline]
pub(crate) fn dispatch<T: Element, K: Kernel<T>>(set: InstructionSet, kernel: K) -> K::Output {
    T::dispatch(set, kernel)
}

#[inline]
pub(crate) fn run_f32<K: Kernel<f32>>(set: InstructionSet, kernel: K) -> K::Output {
    if cfg!(test) {
        unreachable!("unit tests run no kernel");
    }
    #[cfg(target_arch = "x86_64")]
    if cfg!(not(without = "avx512"))
        && set == InstructionSet::Avx512
        && let Some(cpu) = Avx512::new()
    {
        return cpu.run(kernel);
    } else if cfg!(not(without = "avx2"))
        && set == InstructionSet::Avx2
        && let Some(cpu) = Avx2::new()
    {
        return cpu.run(kernel);
    }
    #[cfg(target_arch = "aarch64")]
    if set == InstructionSet::Neon
        && let Some(cpu) = Neon::new()
    {
        return cpu.run(kernel);
    }
    let _ = set;
    kernel.run::<Baseline>()
}

/// `f64` is there to check against: of vector instructions AVX2 is enough.
#[inline]
pub(crate) fn run_f64<K: Kernel<f64>>(set: InstructionSet, kernel: K) -> K::Output {
    if cfg!(test) {
        unreachable!("unit tests run no kernel");
    }
    #[cfg(target_arch = "x86_64")]
    if cfg!(not(without = "avx2"))
        && set != InstructionSet::Portable
        && let Some(cpu) = Avx2::new()
    {
        return cpu.run_f64(kernel);
    }
    let _ = set;
    kernel.run::<Portable<f64>>()
}

/// [`LANES`] numbers, and how many of them the inner loops of the kernels hold in registers.
pub trait Vector: Copy {
    /// What it holds.
    type Element: Element;

    /// Pixels of the convolution's micro-kernel: as many accumulators as the registers hold.
    const PIXELS: usize;
    /// Blocks of output channels of the micro-kernel.
    const PANELS: usize;
    /// Input channels of the micro-kernel for the gradient of the weights.
    const ROWS: usize;
    /// Columns and rows of a block of sums of a linear layer's inner products.
    const DOT: [usize; 2];
    /// Rows and vectors of a block of sums of a linear layer's products of numbers with vectors.
    const PRODUCT: [usize; 2];
    /// Registers a vector takes.
    const REGISTERS: usize;

    /// # Safety
    ///
    /// `from` must be valid for reading [`LANES`] numbers.
    unsafe fn load(from: *const Self::Element) -> Self;
    /// # Safety
    ///
    /// `to` must be valid for writing [`LANES`] numbers.
    unsafe fn store(self, to: *mut Self::Element);
    /// The same past the caches, where the CPU has a way: for what is not read before they are full of other things. It is
    /// to be read when the loop over tasks that writes it has ended ([`crate::threads::for_each`]), not before.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing [`LANES`] numbers, and begin a line of the cache.
    #[inline(always)]
    unsafe fn store_past(self, to: *mut Self::Element) {
        // SAFETY: as the caller says.
        unsafe { self.store(to) }
    }
    /// The same number in every lane.
    fn splat(x: Self::Element) -> Self;
    /// Sum.
    fn add(self, other: Self) -> Self;
    /// Difference.
    fn sub(self, other: Self) -> Self;
    /// Product.
    fn mul(self, other: Self) -> Self;
    /// `self · factor + addend`.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// `floor` where it is greater, else `self`: NaN stays NaN, and a floor of NaN is
    /// none.
    fn at_least(self, floor: Self) -> Self;
    /// `self` but zero where `value <= floor`.
    fn unless_at_most(self, value: Self, floor: Self) -> Self;

    /// Quotient.
    fn div(self, other: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// `then` where `self > best` or `self` is NaN, else `otherwise`.
    fn select_above(self, best: Self, then: Self, otherwise: Self) -> Self;
    /// `self` but zero where `a` and `b` differ.
    fn where_equal(self, a: Self, b: Self) -> Self;
    /// Writes whole numbers of `0..256` as bytes.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing [`LANES`] bytes.
    unsafe fn store_bytes(self, to: *mut u8);
    /// Bytes as numbers.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reading [`LANES`] bytes.
    unsafe fn load_bytes(from: *const u8) -> Self;

    /// Whole numbers of 32 bits, each rounded to the nearest there is.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reading [`LANES`] numbers.
    unsafe fn load_integers(from: *const i32) -> Self;
    /// Numbers of 16 bits, exactly.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reading [`LANES`] numbers.
    unsafe fn load_bf16(from: *const bf16) -> Self;
    /// Writes each number rounded to the nearest of 16 bits, to the even one of two; NaN stays NaN.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing [`LANES`] numbers.
    unsafe fn store_bf16(self, to: *mut bf16);
    /// Writes each number rounded to the nearest of `0..=255`, to the even one of two; NaN as 0.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing [`LANES`] bytes.
    unsafe fn store_rounded(self, to: *mut u8);
    /// The same with four vectors. Whoever says `BOUNDED` knows that the integers nearest to the numbers fit 32 bits.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing four times [`LANES`] bytes.
    #[inline(always)]
    unsafe fn store_four_rounded<const BOUNDED: bool>(vectors: [Self; 4], to: *mut u8) {
        for (number, vector) in vectors.into_iter().enumerate() {
            // SAFETY: as the caller says.
            unsafe { vector.store_rounded(to.add(number * LANES)) }
        }
    }

    /// Turns a square around: lane `i` of row `j` and lane `j` of row `i` change places.
    fn transpose(rows: &mut [Self; LANES]);

    /// The lanes in another order: lane `i` of the result is lane `lanes[i]`, each of `0..16`.
    fn permute(self, lanes: &[i32; LANES]) -> Self;

    /// Zeros.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(Self::Element::ZERO)
    }
}
