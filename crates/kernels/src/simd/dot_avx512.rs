//! Products of narrow numbers by the instructions made for them: AVX512_BF16 and AVX512_VNNI.

use super::avx512::{Avx512, Single};
use super::dot::{Dot, DotKernel};
use super::multiply::{Multiply, ProductKernel};
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

    #[inline]
    pub(super) fn run_products<K: ProductKernel<f32>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]
        fn compiled<K: ProductKernel<f32>>(kernel: K) -> K::Output {
            kernel.run::<Pairs>()
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

// SAFETY of the blocks below, but for loads and stores: as above.
impl Multiply for Pairs {
    type Number = f32;
    type Vector = Single;
    type Factors = __m512i;
    type Cell = bf16;
    const DEPTH: usize = 2;

    #[inline(always)]
    fn cell(x: f32) -> bf16 {
        bf16::from_f32(x)
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512i {
        // SAFETY: the caller vouches for sixteen factors; unaligned loads are meant.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> __m512i {
        // SAFETY: the caller vouches for a factor, which may be any bits.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read()) }
    }
    #[inline(always)]
    fn multiply_add(a: __m512i, b: __m512i, sum: Single) -> Single {
        Single(<Self as Dot>::dot(a, b, sum.0))
    }
    #[inline(always)]
    unsafe fn store(x: Single, to: *mut bf16) {
        // SAFETY: the caller vouches for sixteen cells; unaligned stores are meant.
        unsafe { _mm256_storeu_si256(to.cast(), rounded(x)) }
    }
    #[inline(always)]
    unsafe fn store_together([first, second]: [Single; 2], to: *mut f32) {
        // SAFETY: the caller vouches for sixteen factors; unaligned stores are meant.
        unsafe {
            let first = _mm512_cvtepu16_epi32(rounded(first));
            let second = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(rounded(second)));
            _mm512_storeu_si512(to.cast(), _mm512_or_si512(first, second));
        }
    }
    #[inline(always)]
    unsafe fn store_beside(x: Single, which: usize, to: *mut f32) {
        // SAFETY: the caller vouches for sixteen factors; unaligned loads and stores are meant.
        unsafe {
            let wide = _mm512_cvtepu16_epi32(rounded(x));
            let wide = match which {
                0 => wide,
                _ => _mm512_or_si512(_mm512_loadu_si512(to.cast()), _mm512_slli_epi32::<16>(wide)),
            };
            _mm512_storeu_si512(to.cast(), wide);
        }
    }
}

/// Sixteen numbers, each rounded to the nearest of 16 bits, to the even one of two; those next to zero are zeros.
#[inline(always)]
fn rounded(x: Single) -> __m256i {
    // SAFETY: whoever calls this has got here with a `Bf16`; both are the same register.
    unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x.0)) }
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
