//! AVX-512: one register a vector.

use super::vector::{Kernel, LANES, Vector};
use half::bf16;
use std::arch::x86_64::*;

/// Proof that this CPU has AVX-512F, BW and VL, AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// Asks the CPU.
    pub fn new() -> Option<Self> {
        let has = cfg!(not(any(miri, without = "avx512")))
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        has.then_some(Self(()))
    }

    /// Runs a kernel with 512-bit registers.
    #[inline]
    pub fn run<K: Kernel<f32>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma")]
        fn compiled<K: Kernel<f32>>(kernel: K) -> K::Output {
            kernel.run::<Single>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }
}

/// Sixteen `f32` in a register. No module but its neighbours can name this type: it is reached through proofs alone.
#[derive(Clone, Copy)]
pub(super) struct Single(pub(super) __m512);

// SAFETY of the blocks below, but for load and store: the intrinsics need AVX-512F and BW, and whoever uses this type has got
// here with an `Avx512`.
impl Vector for Single {
    type Element = f32;
    // 14 pixels times 2 panels of accumulators, 2 of weights and a broadcast: 31 of 32 registers.
    const PIXELS: usize = 14;
    const PANELS: usize = 2;
    const ROWS: usize = 8;
    const DOT: [usize; 2] = [4, 6];
    const PRODUCT: [usize; 2] = [6, 4];
    const PAIRS: bool = true;
    const REGISTERS: usize = 1;

    #[inline(always)]
    unsafe fn alternate(from: *const f32) -> Self {
        // SAFETY: the caller vouches for two readable numbers, which are read as one of 64 bits.
        Self(unsafe { _mm512_castpd_ps(_mm512_set1_pd(from.cast::<f64>().read_unaligned())) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers; unaligned loads are meant.
        Self(unsafe { _mm512_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for sixteen writable numbers.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_past(self, to: *mut f32) {
        // SAFETY: the caller vouches for a line of sixteen writable numbers.
        unsafe { _mm512_stream_ps(to, self.0) }
    }
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_set1_ps(x) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, addend.0) })
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        // SAFETY: see above. The instruction gives its second operand unless the first is greater.
        Self(unsafe { _mm512_max_ps(floor.0, self.0) })
    }
    #[inline(always)]
    fn unless_at_most(self, value: Self, floor: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_NLE_UQ>(value.0, floor.0), self.0) })
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_div_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn select_above(self, best: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, best.0);
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0);
            Self(_mm512_mask_blend_ps(above | nan, otherwise.0, then.0))
        }
    }
    #[inline(always)]
    fn where_equal(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a.0, b.0), self.0) })
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8) {
        // SAFETY: the caller vouches for sixteen writable bytes; unaligned stores are meant.
        unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(self.0))) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        // SAFETY: the caller vouches for sixteen readable bytes; unaligned loads are meant.
        Self(unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast()))) })
    }
    #[inline(always)]
    unsafe fn load_integers(from: *const i32) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers; unaligned loads are meant.
        Self(unsafe { _mm512_cvtepi32_ps(_mm512_loadu_si512(from.cast())) })
    }
    #[inline(always)]
    unsafe fn load_bf16(from: *const bf16) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers; unaligned loads are meant.
        unsafe {
            let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves)))
        }
    }
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut bf16) {
        // SAFETY: the caller vouches for sixteen writable numbers; unaligned stores are meant. Added is just less than
        // half of the last place, or half where the last place is odd. The instruction for this takes the smallest
        // numbers for zeros.
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0);
            let quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x0040_0000));
            let chosen = _mm512_srli_epi32::<16>(_mm512_mask_blend_epi32(nan, rounded, quiet));
            _mm256_storeu_si256(to.cast(), _mm512_cvtepi32_epi16(chosen));
        }
    }
    #[inline(always)]
    unsafe fn store_rounded(self, to: *mut u8) {
        // SAFETY: the caller vouches for sixteen writable bytes; unaligned stores are meant. The maximum gives its second
        // operand where the first is NaN.
        unsafe {
            let low = _mm512_max_ps(self.0, _mm512_setzero_ps());
            Self(_mm512_min_ps(low, _mm512_set1_ps(255.0))).store_bytes(to);
        }
    }
    #[inline(always)]
    unsafe fn store_four_rounded<const BOUNDED: bool>(vectors: [Self; 4], to: *mut u8) {
        // SAFETY: the caller vouches for 64 writable bytes; unaligned stores are meant. The minimum gives its second operand
        // where that is NaN, which becomes the least integer; packing cuts off on both sides, within quarters of
        // a register, which the permutation brings into order.
        unsafe {
            let most = _mm512_set1_ps(255.0);
            let mut whole = [_mm512_setzero_si512(); 4];
            for (whole, Self(x)) in whole.iter_mut().zip(vectors) {
                *whole = _mm512_cvtps_epi32(if BOUNDED { x } else { _mm512_min_ps(most, x) });
            }
            let words = [_mm512_packs_epi32(whole[0], whole[1]), _mm512_packs_epi32(whole[2], whole[3])];
            let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            let bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(words[0], words[1]));
            _mm512_storeu_si512(to.cast(), bytes);
        }
    }
    #[inline(always)]
    fn transpose(rows: &mut [Self; LANES]) {
        // Neighbouring rows interleaved, then pairs of them: lane group `l` of `quads[4q + c]` holds column `4l + c` of the
        // rows from `4q` on. Two rounds of moving lane groups gather those of all rows.
        let mut pairs = [rows[0].0; LANES];
        for i in 0..8 {
            let (a, b) = (rows[2 * i].0, rows[2 * i + 1].0);
            // SAFETY: see above.
            (pairs[2 * i], pairs[2 * i + 1]) = unsafe { (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)) };
        }
        let mut quads = pairs;
        for q in 0..4 {
            for half in 0..2 {
                // SAFETY: see above.
                unsafe {
                    let a = _mm512_castps_pd(pairs[4 * q + half]);
                    let b = _mm512_castps_pd(pairs[4 * q + 2 + half]);
                    quads[4 * q + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                    quads[4 * q + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
                }
            }
        }
        for c in 0..4 {
            let (a, b, d, e) = (quads[c], quads[4 + c], quads[8 + c], quads[12 + c]);
            // SAFETY: see above.
            unsafe {
                let (even_low, odd_low) =
                    (_mm512_shuffle_f32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b));
                let (even_high, odd_high) =
                    (_mm512_shuffle_f32x4::<0b10_00_10_00>(d, e), _mm512_shuffle_f32x4::<0b11_01_11_01>(d, e));
                rows[c] = Self(_mm512_shuffle_f32x4::<0b10_00_10_00>(even_low, even_high));
                rows[8 + c] = Self(_mm512_shuffle_f32x4::<0b11_01_11_01>(even_low, even_high));
                rows[4 + c] = Self(_mm512_shuffle_f32x4::<0b10_00_10_00>(odd_low, odd_high));
                rows[12 + c] = Self(_mm512_shuffle_f32x4::<0b11_01_11_01>(odd_low, odd_high));
            }
        }
    }
    #[inline(always)]
    fn in_turns(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let places = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            Self(_mm512_permutex2var_ps(self.0, places, other.0))
        }
    }
    #[inline(always)]
    fn permute(self, lanes: &[i32; LANES]) -> Self {
        // SAFETY: see above; `lanes` is one register.
        Self(unsafe { _mm512_permutexvar_ps(_mm512_loadu_si512(lanes.as_ptr().cast()), self.0) })
    }
}
