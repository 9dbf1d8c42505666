//! Sixteen numbers at a time, on whatever the CPU has.
//!
//! A kernel is written once, against [`Vector`], with every function on its way `#[inline(always)]`. [`dispatch`] runs
//! it inside a function compiled for the chosen [`InstructionSet`], so the whole kernel is compiled for it; nothing
//! needs `-C target-cpu`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod instruction_set;
mod portable;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub(crate) use instruction_set::dispatch;
pub use instruction_set::{InstructionSet, Kernel};
pub use portable::Portable;

use crate::element::Element;

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

/// [`LANES`] numbers.
///
/// The methods are safe to call only because values of these types arise nowhere but inside [`dispatch`], which has
/// made sure of the CPU.
pub trait Vector: Copy {
    /// What it holds.
    type Element: Element;

    /// Pixels of the convolution's micro-kernel: as many accumulators as the registers hold.
    const PIXELS: usize;
    /// Blocks of output channels of the micro-kernel.
    const PANELS: usize;
    /// Input channels of the micro-kernel for the gradient of the weights.
    const ROWS: usize;

    /// # Safety
    ///
    /// `from` must be valid for reading [`LANES`] numbers.
    unsafe fn load(from: *const Self::Element) -> Self;
    /// # Safety
    ///
    /// `to` must be valid for writing [`LANES`] numbers.
    unsafe fn store(self, to: *mut Self::Element);
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
    /// `floor` where it is greater, else `self`: what is not a number stays so, and a floor that is not a number is
    /// none.
    fn at_least(self, floor: Self) -> Self;
    /// `self` but zero where `value <= floor`.
    fn unless_at_most(self, value: Self, floor: Self) -> Self;

    /// Quotient.
    fn div(self, other: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// `then` where `self > best` or `self` is not a number, else `otherwise`.
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
