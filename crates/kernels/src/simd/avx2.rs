//! AVX2 and FMA: two registers a vector.

use super::vector::{Kernel, LANES, Vector};
use half::bf16;
use std::arch::x86_64::*;

/// Proof that this CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// Asks the CPU.
    pub fn new() -> Option<Self> {
        // Miri interprets plain Rust; of the vector instructions it knows only some.
        let has = cfg!(not(any(miri, without = "avx2")))
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        has.then_some(Self(()))
    }

    /// Runs a kernel with 256-bit registers.
    #[inline]
    pub fn run<K: Kernel<f32>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel<f32>>(kernel: K) -> K::Output {
            kernel.run::<Pair>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }
}

/// Sixteen `f32` in two registers. No module but its neighbours can name this type: it is reached through proofs alone.
#[derive(Clone, Copy)]
pub(super) struct Pair(__m256, __m256);

// SAFETY of the blocks below, but for load and store: the intrinsics need AVX2 and FMA, and whoever uses this type
// has got here with an `Avx2`.
impl Vector for Pair {
    type Element = f32;
    // 6 pixels times 2 registers of accumulators, 2 of weights and a broadcast: 15 of 16 registers.
    const PIXELS: usize = 6;
    const PANELS: usize = 1;
    const ROWS: usize = 6;
    const DOT: [usize; 2] = [3, 2];
    const PRODUCT: [usize; 2] = [6, 1];
    const REGISTERS: usize = 2;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers; unaligned loads are meant.
        unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for sixteen writable numbers.
        unsafe {
            _mm256_storeu_ps(to, self.0);
            _mm256_storeu_ps(to.add(8), self.1);
        }
    }
    #[inline(always)]
    unsafe fn store_past(self, to: *mut f32) {
        // SAFETY: the caller vouches for a line of sixteen writable numbers.
        unsafe {
            _mm256_stream_ps(to, self.0);
            _mm256_stream_ps(to.add(8), self.1);
        }
    }
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see above.
        let x = unsafe { _mm256_set1_ps(x) };
        Self(x, x)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: see above.
        unsafe { Self(_mm256_fmadd_ps(self.0, factor.0, addend.0), _mm256_fmadd_ps(self.1, factor.1, addend.1)) }
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        // SAFETY: see above. The instruction gives its second operand unless the first is greater.
        unsafe { Self(_mm256_max_ps(floor.0, self.0), _mm256_max_ps(floor.1, self.1)) }
    }
    #[inline(always)]
    fn unless_at_most(self, value: Self, floor: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let keep0 = _mm256_cmp_ps::<_CMP_NLE_UQ>(value.0, floor.0);
            let keep1 = _mm256_cmp_ps::<_CMP_NLE_UQ>(value.1, floor.1);
            Self(_mm256_and_ps(keep0, self.0), _mm256_and_ps(keep1, self.1))
        }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Self(_mm256_div_ps(self.0, other.0), _mm256_div_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see above.
        unsafe { Self(_mm256_sqrt_ps(self.0), _mm256_sqrt_ps(self.1)) }
    }
    #[inline(always)]
    fn select_above(self, best: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let nan = [_mm256_cmp_ps::<_CMP_UNORD_Q>(self.0, self.0), _mm256_cmp_ps::<_CMP_UNORD_Q>(self.1, self.1)];
            let above0 = _mm256_or_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(self.0, best.0), nan[0]);
            let above1 = _mm256_or_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(self.1, best.1), nan[1]);
            Self(_mm256_blendv_ps(otherwise.0, then.0, above0), _mm256_blendv_ps(otherwise.1, then.1, above1))
        }
    }
    #[inline(always)]
    fn where_equal(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let keep0 = _mm256_cmp_ps::<_CMP_EQ_OQ>(a.0, b.0);
            let keep1 = _mm256_cmp_ps::<_CMP_EQ_OQ>(a.1, b.1);
            Self(_mm256_and_ps(keep0, self.0), _mm256_and_ps(keep1, self.1))
        }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8) {
        // SAFETY: the caller vouches for sixteen writable bytes; unaligned stores are meant. Packing works within the
        // halves of a register; the permutation brings them into order.
        unsafe {
            let words = _mm256_packs_epi32(_mm256_cvtps_epi32(self.0), _mm256_cvtps_epi32(self.1));
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(to.cast(), bytes);
        }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        // SAFETY: the caller vouches for sixteen readable bytes; unaligned loads are meant.
        unsafe {
            let bytes = _mm_loadu_si128(from.cast());
            let low = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
            Self(low, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128::<8>(bytes))))
        }
    }
    #[inline(always)]
    unsafe fn load_integers(from: *const i32) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers; unaligned loads are meant.
        unsafe {
            let [low, high] = [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(8).cast())];
            Self(_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high))
        }
    }
    #[inline(always)]
    unsafe fn load_bf16(from: *const bf16) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers; unaligned loads are meant.
        unsafe {
            let halves = [_mm_loadu_si128(from.cast()), _mm_loadu_si128(from.add(8).cast())];
            let [low, high] = halves.map(|halves| _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(halves)));
            Self(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high))
        }
    }
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut bf16) {
        // SAFETY: the caller vouches for sixteen writable numbers; unaligned stores are meant. Added is just less than
        // half of the last place, or half where the last place is odd. Packing works within the halves of a register; the
        // permutation brings them into order.
        unsafe {
            let [low, high] = [self.0, self.1].map(|x| {
                let bits = _mm256_castps_si256(x);
                let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
                let rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
                let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
                let quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040_0000));
                _mm256_srli_epi32::<16>(_mm256_blendv_epi8(rounded, quiet, nan))
            });
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
            _mm256_storeu_si256(to.cast(), words);
        }
    }
    #[inline(always)]
    unsafe fn store_rounded(self, to: *mut u8) {
        // SAFETY: the caller vouches for sixteen writable bytes. The maximum gives its second operand where the first is
        // NaN.
        unsafe {
            let [low, high] =
                [self.0, self.1].map(|x| _mm256_min_ps(_mm256_max_ps(x, _mm256_setzero_ps()), _mm256_set1_ps(255.0)));
            Self(low, high).store_bytes(to);
        }
    }
    #[inline(always)]
    fn transpose(rows: &mut [Self; LANES]) {
        let mut quarters = [[rows[0].0; 8]; 4];
        for i in 0..8 {
            (quarters[0][i], quarters[1][i]) = (rows[i].0, rows[i].1);
            (quarters[2][i], quarters[3][i]) = (rows[8 + i].0, rows[8 + i].1);
        }
        for quarter in &mut quarters {
            *quarter = transpose(*quarter);
        }
        for i in 0..8 {
            rows[i] = Self(quarters[0][i], quarters[2][i]);
            rows[8 + i] = Self(quarters[1][i], quarters[3][i]);
        }
    }
    #[inline(always)]
    fn permute(self, lanes: &[i32; LANES]) -> Self {
        // SAFETY: see above; `lanes` holds two registers. A permutation looks at the lower three bits of a lane's number,
        // the fourth, shifted to the sign, chooses the register.
        unsafe {
            let pick = |from: usize| {
                let lanes = _mm256_loadu_si256(lanes.as_ptr().add(from).cast());
                let upper = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(lanes));
                let [low, high] = [self.0, self.1].map(|x| _mm256_permutevar8x32_ps(x, lanes));
                _mm256_blendv_ps(low, high, upper)
            };
            Self(pick(0), pick(8))
        }
    }
}

/// A square of eight turned around.
#[inline(always)]
fn transpose(rows: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: as above: only the methods of `Pair` call this.
    unsafe {
        let mut quads = rows;
        for q in 0..2 {
            let (a, b, c, d) = (rows[4 * q], rows[4 * q + 1], rows[4 * q + 2], rows[4 * q + 3]);
            let (low, low_next) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
            let (high, high_next) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
            quads[4 * q] = _mm256_shuffle_ps::<0b01_00_01_00>(low, low_next);
            quads[4 * q + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(low, low_next);
            quads[4 * q + 2] = _mm256_shuffle_ps::<0b01_00_01_00>(high, high_next);
            quads[4 * q + 3] = _mm256_shuffle_ps::<0b11_10_11_10>(high, high_next);
        }
        let mut turned = rows;
        for c in 0..4 {
            turned[c] = _mm256_permute2f128_ps::<0x20>(quads[c], quads[4 + c]);
            turned[4 + c] = _mm256_permute2f128_ps::<0x31>(quads[c], quads[4 + c]);
        }
        turned
    }
}
