//! SSE2, which every CPU of x86-64 has: operations on one register.

use std::arch::x86_64::*;

// SAFETY of the blocks below: every CPU this is compiled for has SSE2, and callers vouch for what pointers are valid for;
// no alignment is needed.

/// Four `f32`.
pub(super) type Register = __m128;
/// Lanes, each all ones or all zeros.
pub(super) type Mask = __m128;

// 8 registers of sums, 4 of weights and a broadcast, of 16.
pub(super) const PIXELS: usize = 2;
pub(super) const DOT: [usize; 2] = [2, 1];

operations! {
    fn splat(x: f32) -> Register { _mm_set1_ps(x) }
    fn add(a: Register, b: Register) -> Register { _mm_add_ps(a, b) }
    fn sub(a: Register, b: Register) -> Register { _mm_sub_ps(a, b) }
    fn mul(a: Register, b: Register) -> Register { _mm_mul_ps(a, b) }
    fn mul_add(a: Register, b: Register, addend: Register) -> Register { _mm_add_ps(_mm_mul_ps(a, b), addend) }
    fn div(a: Register, b: Register) -> Register { _mm_div_ps(a, b) }
    fn sqrt(a: Register) -> Register { _mm_sqrt_ps(a) }
    fn above(a: Register, b: Register) -> Mask { _mm_cmpgt_ps(a, b) }
    fn at_most(a: Register, b: Register) -> Mask { _mm_cmple_ps(a, b) }
    fn equal(a: Register, b: Register) -> Mask { _mm_cmpeq_ps(a, b) }
    fn select(mask: Mask, then: Register, otherwise: Register) -> Register {
        _mm_or_ps(_mm_and_ps(mask, then), _mm_andnot_ps(mask, otherwise))
    }
}

#[inline(always)]
pub(super) unsafe fn load(from: *const f32) -> Register {
    // SAFETY: see above.
    unsafe { _mm_loadu_ps(from) }
}

#[inline(always)]
pub(super) unsafe fn store(register: Register, to: *mut f32) {
    // SAFETY: see above.
    unsafe { _mm_storeu_ps(to, register) }
}

#[inline(always)]
pub(super) unsafe fn load_integers(from: *const i32) -> Register {
    // SAFETY: see above.
    unsafe { _mm_cvtepi32_ps(_mm_loadu_si128(from.cast())) }
}

/// Sixteen bytes.
#[inline(always)]
pub(super) unsafe fn load_bytes(from: *const u8) -> [Register; 4] {
    // SAFETY: see above.
    unsafe {
        let (bytes, zero) = (_mm_loadu_si128(from.cast()), _mm_setzero_si128());
        let [low, high] = [_mm_unpacklo_epi8(bytes, zero), _mm_unpackhi_epi8(bytes, zero)];
        [
            _mm_cvtepi32_ps(_mm_unpacklo_epi16(low, zero)),
            _mm_cvtepi32_ps(_mm_unpackhi_epi16(low, zero)),
            _mm_cvtepi32_ps(_mm_unpacklo_epi16(high, zero)),
            _mm_cvtepi32_ps(_mm_unpackhi_epi16(high, zero)),
        ]
    }
}

/// Sixteen numbers, each rounded to the nearest of `0..=255`. The maximum gives its second operand where the first is
/// NaN.
#[inline(always)]
pub(super) unsafe fn store_rounded(numbers: [Register; 4], to: *mut u8) {
    // SAFETY: see above.
    unsafe {
        let whole = |x| _mm_cvtps_epi32(_mm_min_ps(_mm_max_ps(x, _mm_setzero_ps()), _mm_set1_ps(255.0)));
        let [a, b, c, d] = [whole(numbers[0]), whole(numbers[1]), whole(numbers[2]), whole(numbers[3])];
        _mm_storeu_si128(to.cast(), _mm_packus_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d)));
    }
}

/// Eight numbers of 16 bits.
#[inline(always)]
pub(super) unsafe fn load_bf16(from: *const u16) -> [Register; 2] {
    // SAFETY: see above.
    unsafe {
        let (halves, zero) = (_mm_loadu_si128(from.cast()), _mm_setzero_si128());
        [_mm_castsi128_ps(_mm_unpacklo_epi16(zero, halves)), _mm_castsi128_ps(_mm_unpackhi_epi16(zero, halves))]
    }
}

/// Eight numbers, each rounded to 16 bits.
#[inline(always)]
pub(super) unsafe fn store_bf16([low, high]: [Register; 2], to: *mut u16) {
    // SAFETY: see above.
    unsafe { _mm_storeu_si128(to.cast(), _mm_packs_epi32(rounded(low), rounded(high))) }
}

/// The upper halves, rounded, as signed numbers, which packing leaves as they are: added is just less than half of the last
/// place, or half where the last place is odd.
#[inline(always)]
fn rounded(x: Register) -> __m128i {
    // SAFETY: see above.
    unsafe {
        let bits = _mm_castps_si128(x);
        let odd = _mm_and_si128(_mm_srli_epi32::<16>(bits), _mm_set1_epi32(1));
        let rounded = _mm_add_epi32(_mm_add_epi32(bits, _mm_set1_epi32(0x7fff)), odd);
        let quiet = _mm_or_si128(bits, _mm_set1_epi32(0x0040_0000));
        let number = _mm_castps_si128(_mm_cmpeq_ps(x, x));
        let chosen = _mm_or_si128(_mm_and_si128(number, rounded), _mm_andnot_si128(number, quiet));
        _mm_srai_epi32::<16>(chosen)
    }
}

/// A square of four turned around.
#[inline(always)]
pub(super) fn transpose([a, b, c, d]: [Register; 4]) -> [Register; 4] {
    // SAFETY: see above.
    unsafe {
        let [ab0, ab1] = [_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b)];
        let [cd0, cd1] = [_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d)];
        [_mm_movelh_ps(ab0, cd0), _mm_movehl_ps(cd0, ab0), _mm_movelh_ps(ab1, cd1), _mm_movehl_ps(cd1, ab1)]
    }
}
