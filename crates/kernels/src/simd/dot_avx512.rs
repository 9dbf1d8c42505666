//! Products of narrow numbers by the instructions made for them: AVX512_BF16 and AVX512_VNNI.

use super::avx512::Single;
use super::{Avx512, Dot, DotKernel};
use half::bf16;
use std::arch::x86_64::*;

/// Proof that this CPU has AVX512_BF16, and what [`Avx512`] proves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bf16(());

impl Bf16 {
    pub(super) fn new() -> Option<Self> {
        let has = Avx512::new().is_some() && is_x86_feature_detected!("avx512bf16");
        has.then_some(Self(()))
    }

    #[inline]
    pub(super) fn run<K: DotKernel<bf16>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]
        fn compiled<K: DotKernel<bf16>>(kernel: K) -> K::Output {
            kernel.run::<Single, Pairs>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }
}

/// Proof that this CPU has AVX512_VNNI, and what [`Avx512`] proves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vnni(());

impl Vnni {
    pub(super) fn new() -> Option<Self> {
        let has = Avx512::new().is_some() && is_x86_feature_detected!("avx512vnni");
        has.then_some(Self(()))
    }

    #[inline]
    pub(super) fn run<K: DotKernel<u8>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma")]
        fn compiled<K: DotKernel<u8>>(kernel: K) -> K::Output {
            kernel.run::<Single, Quads>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }
}

/// Pairs of `bf16`, by `vdpbf16ps`.
#[derive(Clone, Copy)]
struct Pairs;

// SAFETY of the blocks below, but for loads and stores: the intrinsics need AVX512_BF16, and whoever uses this type has
// got here with a `Bf16`.
impl Dot for Pairs {
    type Number = bf16;
    type Cell = bf16;
    type Weight = bf16;
    type Weights = __m512i;
    type Word = __m512i;
    type Sum = __m512;
    const PER_WORD: usize = 2;
    const PIXELS: usize = 14;
    const PANELS: usize = 2;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> __m512i {
        // SAFETY: the caller vouches for sixteen words; unaligned loads are meant.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    fn word(word: u32) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(word.cast_signed()) }
    }
    #[inline(always)]
    unsafe fn sum(from: *const u32) -> __m512 {
        // SAFETY: the caller vouches for sixteen words; unaligned loads are meant.
        unsafe { _mm512_loadu_ps(from.cast()) }
    }
    #[inline(always)]
    fn dot(weights: __m512i, word: __m512i, sum: __m512) -> __m512 {
        // SAFETY: see above; all three are the same register.
        unsafe {
            let [weights, word] = [weights, word].map(|register| std::mem::transmute::<__m512i, __m512bh>(register));
            _mm512_dpbf16_ps(sum, weights, word)
        }
    }
    #[inline(always)]
    unsafe fn store(sum: __m512, to: *mut u32) {
        // SAFETY: the caller vouches for sixteen words.
        unsafe { _mm512_storeu_ps(to.cast(), sum) }
    }
}

/// Fours of 8-bit numbers, by `vpdpbusd`.
#[derive(Clone, Copy)]
struct Quads;

// SAFETY of the blocks below, but for loads and stores: the intrinsics need AVX512_VNNI, and whoever uses this type has
// got here with a `Vnni`.
impl Dot for Quads {
    type Number = u8;
    type Cell = u8;
    type Weight = i8;
    type Weights = __m512i;
    type Word = __m512i;
    type Sum = __m512i;
    const PER_WORD: usize = 4;
    const PIXELS: usize = 14;
    const PANELS: usize = 2;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> __m512i {
        // SAFETY: the caller vouches for sixteen words; unaligned loads are meant.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    fn word(word: u32) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(word.cast_signed()) }
    }
    #[inline(always)]
    unsafe fn sum(from: *const u32) -> __m512i {
        // SAFETY: the caller vouches for sixteen words; unaligned loads are meant.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    fn dot(weights: __m512i, word: __m512i, sum: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_dpbusd_epi32(sum, word, weights) }
    }
    #[inline(always)]
    unsafe fn store(sum: __m512i, to: *mut u32) {
        // SAFETY: the caller vouches for sixteen words.
        unsafe { _mm512_storeu_si512(to.cast(), sum) }
    }
}
