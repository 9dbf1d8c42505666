//! Products of narrow numbers by AVX2 and FMA: widened first.

use super::avx2::{Avx2, Pair};
use super::dot::{Dot, DotKernel};
use half::bf16;
use std::arch::x86_64::*;

impl Avx2 {
    /// Runs a kernel on `bf16` with 256-bit registers.
    #[inline]
    pub(super) fn run_bf16<K: DotKernel<bf16>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: DotKernel<bf16>>(kernel: K) -> K::Output {
            kernel.run::<Pair, Halves>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }

    /// Runs a kernel on 8-bit numbers with 256-bit registers.
    #[inline]
    pub(super) fn run_u8<K: DotKernel<u8>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: DotKernel<u8>>(kernel: K) -> K::Output {
            kernel.run::<Pair, Words>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }
}

/// Pairs of `bf16`, each widened to `f32`.
#[derive(Clone, Copy)]
struct Halves;

/// The lower and the upper number of each word.
#[inline(always)]
fn halves(words: __m256i) -> [__m256; 2] {
    // SAFETY: only the methods of `Halves` call this.
    unsafe {
        let upper = _mm256_and_si256(words, _mm256_set1_epi32(0xffff_0000_u32.cast_signed()));
        [_mm256_castsi256_ps(_mm256_slli_epi32::<16>(words)), _mm256_castsi256_ps(upper)]
    }
}

// SAFETY of the blocks below, but for loads and stores: the intrinsics need AVX2 and FMA, and whoever uses this type has
// got here with an `Avx2`.
impl Dot for Halves {
    type Number = bf16;
    type Cell = bf16;
    type Weight = bf16;
    type Weights = [[__m256; 2]; 2];
    type Word = [__m256; 2];
    type Sum = [__m256; 2];
    const PER_WORD: usize = 2;
    // 8 registers of sums, 4 of weights, 2 of a pixel.
    const PIXELS: usize = 4;
    const PANELS: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> [[__m256; 2]; 2] {
        // SAFETY: the caller vouches for sixteen words; unaligned loads are meant.
        unsafe { [halves(_mm256_loadu_si256(from.cast())), halves(_mm256_loadu_si256(from.add(8).cast()))] }
    }
    #[inline(always)]
    fn word(word: u32) -> [__m256; 2] {
        // SAFETY: see above.
        halves(unsafe { _mm256_set1_epi32(word.cast_signed()) })
    }
    #[inline(always)]
    unsafe fn sum(from: *const u32) -> [__m256; 2] {
        // SAFETY: the caller vouches for sixteen words; unaligned loads are meant.
        unsafe { [_mm256_loadu_ps(from.cast()), _mm256_loadu_ps(from.add(8).cast())] }
    }
    #[inline(always)]
    fn dot(weights: [[__m256; 2]; 2], word: [__m256; 2], sum: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe {
            let low =
                [_mm256_fmadd_ps(weights[0][0], word[0], sum[0]), _mm256_fmadd_ps(weights[1][0], word[0], sum[1])];
            [_mm256_fmadd_ps(weights[0][1], word[1], low[0]), _mm256_fmadd_ps(weights[1][1], word[1], low[1])]
        }
    }
    #[inline(always)]
    unsafe fn store(sum: [__m256; 2], to: *mut u32) {
        // SAFETY: the caller vouches for sixteen words.
        unsafe {
            _mm256_storeu_ps(to.cast(), sum[0]);
            _mm256_storeu_ps(to.add(8).cast(), sum[1]);
        }
    }
}

/// Pairs of 8-bit numbers widened to 16 bits, by `vpmaddwd`: products of 8 bits each way would be cut off.
#[derive(Clone, Copy)]
struct Words;

// SAFETY of the blocks below, but for loads and stores: the intrinsics need AVX2, and whoever uses this type has got
// here with an `Avx2`.
impl Dot for Words {
    type Number = u8;
    type Cell = i16;
    type Weight = i16;
    type Weights = [__m256i; 2];
    type Word = __m256i;
    type Sum = [__m256i; 2];
    const PER_WORD: usize = 2;
    // 12 registers of sums, 2 of weights, a pixel and a product.
    const PIXELS: usize = 6;
    const PANELS: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> [__m256i; 2] {
        // SAFETY: the caller vouches for sixteen words; unaligned loads are meant.
        unsafe { [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(8).cast())] }
    }
    #[inline(always)]
    fn word(word: u32) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_set1_epi32(word.cast_signed()) }
    }
    #[inline(always)]
    unsafe fn sum(from: *const u32) -> [__m256i; 2] {
        // SAFETY: the caller vouches for sixteen words; unaligned loads are meant.
        unsafe { [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(8).cast())] }
    }
    #[inline(always)]
    fn dot(weights: [__m256i; 2], word: __m256i, sum: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: see above.
        unsafe {
            [
                _mm256_add_epi32(sum[0], _mm256_madd_epi16(weights[0], word)),
                _mm256_add_epi32(sum[1], _mm256_madd_epi16(weights[1], word)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn store(sum: [__m256i; 2], to: *mut u32) {
        // SAFETY: the caller vouches for sixteen words.
        unsafe {
            _mm256_storeu_si256(to.cast(), sum[0]);
            _mm256_storeu_si256(to.add(8).cast(), sum[1]);
        }
    }
}
