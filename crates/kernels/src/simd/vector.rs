//! Sixteen numbers at a time, and what is written for them.

use crate::element::Element;
use half::bf16;

/// Numbers in a `Vector`, and channels in a block of the layout.
pub const LANES: usize = 16;

/// A computation written for any [`Vector`].
pub trait Kernel<T> {
    /// What it gives.
    type Output;
    /// The computation; `#[inline(always)]`, and so must be everything it calls with vectors.
    fn run<V: Vector<Element = T>>(self) -> Self::Output;
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
    /// Whether the micro-kernel has two pixels share a vector where half of it holds all channels: [`Vector::alternate`] costs
    /// what [`Vector::splat`] does.
    const PAIRS: bool = false;
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
    /// Two numbers in turns: the first in every even lane, the second in every odd one.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reading two numbers.
    #[inline(always)]
    unsafe fn alternate(from: *const Self::Element) -> Self {
        // SAFETY: as the caller says.
        let [even, odd] = unsafe { [*from, *from.add(1)] };
        let mut numbers = [even; LANES];
        numbers.iter_mut().skip(1).step_by(2).for_each(|number| *number = odd);
        // SAFETY: sixteen numbers.
        unsafe { Self::load(numbers.as_ptr()) }
    }
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

    /// The first half of the lanes of both in turns.
    #[inline(always)]
    fn in_turns(self, other: Self) -> Self {
        let [mut these, mut those] = [[Self::Element::ZERO; LANES]; 2];
        // SAFETY: sixteen numbers each.
        unsafe {
            self.store(these.as_mut_ptr());
            other.store(those.as_mut_ptr());
            for lane in (0..LANES / 2).rev() {
                (these[2 * lane], these[2 * lane + 1]) = (these[lane], those[lane]);
            }
            Self::load(these.as_ptr())
        }
    }

    /// Zeros.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(Self::Element::ZERO)
    }
}
