//! Products of narrow numbers: 32 bits of one pixel, two or four channels, times those of sixteen outputs.
//!
//! What `Vector` is to numbers of 32 bits, [`Dot`] is to narrower ones. A word of 32 bits holds a pixel's neighbouring
//! channels; one step multiplies each with the weight of the same channel and adds all products to an output's sum.

use super::vector::{LANES, Vector};
use crate::narrow::Format;
use half::bf16;

/// A computation written for any [`Dot`], and the vectors that go with it.
pub trait DotKernel<F> {
    /// What it gives.
    type Output;
    /// The computation; `#[inline(always)]`, and so must be everything it calls with vectors.
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) -> Self::Output;
}

/// How narrow numbers are multiplied.
pub trait Dot: Copy {
    /// As they lie in maps.
    type Number: Format;
    /// As they lie in tiles.
    type Cell: Copy + From<Self::Number>;
    /// A weight as it is packed.
    type Weight: From<<Self::Number as Format>::Weight>;
    /// Weights of sixteen outputs: a word each.
    type Weights: Copy;
    /// A pixel's word, ready to be multiplied.
    type Word: Copy;
    /// Sixteen sums.
    type Sum: Copy;

    /// Channels of a word.
    const PER_WORD: usize;
    /// Words of a block of sixteen channels.
    const WORDS: usize = LANES / Self::PER_WORD;
    /// Pixels of the micro-kernel.
    const PIXELS: usize;
    /// Blocks of outputs of the micro-kernel.
    const PANELS: usize;

    /// # Safety
    ///
    /// `from` must be valid for reading sixteen words.
    unsafe fn load(from: *const u32) -> Self::Weights;
    /// A pixel's word.
    fn word(word: u32) -> Self::Word;
    /// # Safety
    ///
    /// `from` must be valid for reading sixteen words.
    unsafe fn sum(from: *const u32) -> Self::Sum;
    /// `sum` plus the products.
    fn dot(weights: Self::Weights, word: Self::Word, sum: Self::Sum) -> Self::Sum;
    /// # Safety
    ///
    /// `to` must be valid for writing sixteen words.
    unsafe fn store(sum: Self::Sum, to: *mut u32);
}

/// The two `bf16` of a word as `f32`.
#[inline(always)]
fn halves(word: u32) -> [f32; 2] {
    [f32::from_bits(word << 16), f32::from_bits(word & 0xffff_0000)]
}

/// `bf16` in plain Rust.
#[derive(Clone, Copy)]
pub(super) struct Widened;

impl Dot for Widened {
    type Number = bf16;
    type Cell = bf16;
    type Weight = bf16;
    type Weights = [u32; LANES];
    type Word = [f32; 2];
    type Sum = [f32; LANES];
    const PER_WORD: usize = 2;
    const PIXELS: usize = 2;
    const PANELS: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> [u32; LANES] {
        // SAFETY: the caller vouches for sixteen words.
        unsafe { from.cast::<[u32; LANES]>().read() }
    }
    #[inline(always)]
    fn word(word: u32) -> [f32; 2] {
        halves(word)
    }
    #[inline(always)]
    unsafe fn sum(from: *const u32) -> [f32; LANES] {
        // SAFETY: the caller vouches for sixteen words.
        unsafe { from.cast::<[f32; LANES]>().read() }
    }
    #[inline(always)]
    fn dot(weights: [u32; LANES], [low, high]: [f32; 2], mut sum: [f32; LANES]) -> [f32; LANES] {
        for (sum, weights) in sum.iter_mut().zip(weights) {
            let [of_low, of_high] = halves(weights);
            *sum = *sum + low * of_low + high * of_high;
        }
        sum
    }
    #[inline(always)]
    unsafe fn store(sum: [f32; LANES], to: *mut u32) {
        // SAFETY: the caller vouches for sixteen words.
        unsafe { to.cast::<[f32; LANES]>().write(sum) }
    }
}

/// 8-bit numbers widened to 16 bits, in plain Rust.
#[derive(Clone, Copy)]
pub(super) struct Integers;

impl Dot for Integers {
    type Number = u8;
    type Cell = i16;
    type Weight = i16;
    type Weights = [[i16; 2]; LANES];
    type Word = [i16; 2];
    type Sum = [i32; LANES];
    const PER_WORD: usize = 2;
    const PIXELS: usize = 2;
    const PANELS: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> [[i16; 2]; LANES] {
        // SAFETY: the caller vouches for sixteen words.
        unsafe { from.cast::<[[i16; 2]; LANES]>().read() }
    }
    #[inline(always)]
    fn word(word: u32) -> [i16; 2] {
        // Tiles and weights are written as cells, so the order is that of memory.
        let [a, b, c, d] = word.to_ne_bytes();
        [i16::from_ne_bytes([a, b]), i16::from_ne_bytes([c, d])]
    }
    #[inline(always)]
    unsafe fn sum(from: *const u32) -> [i32; LANES] {
        // SAFETY: the caller vouches for sixteen words.
        unsafe { from.cast::<[i32; LANES]>().read() }
    }
    #[inline(always)]
    fn dot(weights: [[i16; 2]; LANES], word: [i16; 2], mut sum: [i32; LANES]) -> [i32; LANES] {
        let [low, high] = word.map(i32::from);
        for (sum, [of_low, of_high]) in sum.iter_mut().zip(weights) {
            *sum += low * i32::from(of_low) + high * i32::from(of_high);
        }
        sum
    }
    #[inline(always)]
    unsafe fn store(sum: [i32; LANES], to: *mut u32) {
        // SAFETY: the caller vouches for sixteen words.
        unsafe { to.cast::<[i32; LANES]>().write(sum) }
    }
}
