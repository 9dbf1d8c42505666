//! NEON: operations on one register.

use std::arch::aarch64::*;

// SAFETY of the blocks below: the intrinsics need NEON, and `Quarters`, which alone calls them, is reached through a
// `Neon`. Callers vouch for what pointers are valid for.

/// Four `f32`.
pub(super) type Register = float32x4_t;
/// Lanes, each all ones or all zeros.
pub(super) type Mask = uint32x4_t;

// 24 registers of sums, 4 of weights and a broadcast: 29 of 32.
pub(super) const PIXELS: usize = 6;
pub(super) const DOT: [usize; 2] = [3, 2];

operations! {
    fn splat(x: f32) -> Register { vdupq_n_f32(x) }
    fn add(a: Register, b: Register) -> Register { vaddq_f32(a, b) }
    fn sub(a: Register, b: Register) -> Register { vsubq_f32(a, b) }
    fn mul(a: Register, b: Register) -> Register { vmulq_f32(a, b) }
    fn mul_add(a: Register, b: Register, addend: Register) -> Register { vfmaq_f32(addend, a, b) }
    fn div(a: Register, b: Register) -> Register { vdivq_f32(a, b) }
    fn sqrt(a: Register) -> Register { vsqrtq_f32(a) }
    fn above(a: Register, b: Register) -> Mask { vcgtq_f32(a, b) }
    fn at_most(a: Register, b: Register) -> Mask { vcleq_f32(a, b) }
    fn equal(a: Register, b: Register) -> Mask { vceqq_f32(a, b) }
    fn select(mask: Mask, then: Register, otherwise: Register) -> Register { vbslq_f32(mask, then, otherwise) }
}

#[inline(always)]
pub(super) unsafe fn load(from: *const f32) -> Register {
    // SAFETY: see above.
    unsafe { vld1q_f32(from) }
}

#[inline(always)]
pub(super) unsafe fn store(register: Register, to: *mut f32) {
    // SAFETY: see above.
    unsafe { vst1q_f32(to, register) }
}

#[inline(always)]
pub(super) unsafe fn load_integers(from: *const i32) -> Register {
    // SAFETY: see above.
    unsafe { vcvtq_f32_s32(vld1q_s32(from)) }
}

/// Sixteen bytes.
#[inline(always)]
pub(super) unsafe fn load_bytes(from: *const u8) -> [Register; 4] {
    // SAFETY: see above.
    unsafe {
        let bytes = vld1q_u8(from);
        let [low, high] = [vmovl_u8(vget_low_u8(bytes)), vmovl_u8(vget_high_u8(bytes))];
        [
            vcvtq_f32_u32(vmovl_u16(vget_low_u16(low))),
            vcvtq_f32_u32(vmovl_u16(vget_high_u16(low))),
            vcvtq_f32_u32(vmovl_u16(vget_low_u16(high))),
            vcvtq_f32_u32(vmovl_u16(vget_high_u16(high))),
        ]
    }
}

/// Sixteen numbers, each rounded to the nearest of `0..=255`. The conversion makes 0 of NaN.
#[inline(always)]
pub(super) unsafe fn store_rounded([a, b, c, d]: [Register; 4], to: *mut u8) {
    // SAFETY: see above.
    unsafe {
        let low = vcombine_u16(vqmovn_u32(vcvtnq_u32_f32(a)), vqmovn_u32(vcvtnq_u32_f32(b)));
        let high = vcombine_u16(vqmovn_u32(vcvtnq_u32_f32(c)), vqmovn_u32(vcvtnq_u32_f32(d)));
        vst1q_u8(to, vcombine_u8(vqmovn_u16(low), vqmovn_u16(high)));
    }
}

/// Eight numbers of 16 bits.
#[inline(always)]
pub(super) unsafe fn load_bf16(from: *const u16) -> [Register; 2] {
    // SAFETY: see above.
    unsafe {
        let halves = vld1q_u16(from);
        let [low, high] = [vmovl_u16(vget_low_u16(halves)), vmovl_u16(vget_high_u16(halves))];
        [vreinterpretq_f32_u32(vshlq_n_u32::<16>(low)), vreinterpretq_f32_u32(vshlq_n_u32::<16>(high))]
    }
}

/// Eight numbers, each rounded to 16 bits.
#[inline(always)]
pub(super) unsafe fn store_bf16([low, high]: [Register; 2], to: *mut u16) {
    // SAFETY: see above.
    unsafe { vst1q_u16(to, vcombine_u16(rounded(low), rounded(high))) }
}

/// The upper halves, rounded: added is just less than half of the last place, or half where the last place is odd.
#[inline(always)]
fn rounded(x: Register) -> uint16x4_t {
    // SAFETY: see above.
    unsafe {
        let bits = vreinterpretq_u32_f32(x);
        let odd = vandq_u32(vshrq_n_u32::<16>(bits), vdupq_n_u32(1));
        let rounded = vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), odd);
        let quiet = vorrq_u32(bits, vdupq_n_u32(0x0040_0000));
        vshrn_n_u32::<16>(vbslq_u32(vceqq_f32(x, x), rounded, quiet))
    }
}

/// A square of four turned around.
#[inline(always)]
pub(super) fn transpose([a, b, c, d]: [Register; 4]) -> [Register; 4] {
    // SAFETY: see above.
    unsafe {
        let [ab0, ab1] = [vtrn1q_f32(a, b), vtrn2q_f32(a, b)].map(|x| vreinterpretq_f64_f32(x));
        let [cd0, cd1] = [vtrn1q_f32(c, d), vtrn2q_f32(c, d)].map(|x| vreinterpretq_f64_f32(x));
        [
            vreinterpretq_f32_f64(vtrn1q_f64(ab0, cd0)),
            vreinterpretq_f32_f64(vtrn1q_f64(ab1, cd1)),
            vreinterpretq_f32_f64(vtrn2q_f64(ab0, cd0)),
            vreinterpretq_f32_f64(vtrn2q_f64(ab1, cd1)),
        ]
    }
}
