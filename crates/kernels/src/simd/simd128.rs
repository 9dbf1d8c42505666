//! WebAssembly's SIMD: operations on one register. A module that has them runs only where they are, so the compiler is
//! asked, not the CPU: `-C target-feature=+simd128`.

use std::arch::wasm32::*;

/// Four `f32`.
pub(super) type Register = v128;
/// Lanes, each all ones or all zeros.
pub(super) type Mask = v128;

// 8 registers of sums, 4 of weights and a broadcast, for CPUs that have 16.
pub(super) const PIXELS: usize = 2;
pub(super) const DOT: [usize; 2] = [2, 1];

operations! {
    fn splat(x: f32) -> Register { f32x4_splat(x) }
    fn add(a: Register, b: Register) -> Register { f32x4_add(a, b) }
    fn sub(a: Register, b: Register) -> Register { f32x4_sub(a, b) }
    fn mul(a: Register, b: Register) -> Register { f32x4_mul(a, b) }
    fn mul_add(a: Register, b: Register, addend: Register) -> Register { f32x4_add(f32x4_mul(a, b), addend) }
    fn div(a: Register, b: Register) -> Register { f32x4_div(a, b) }
    fn sqrt(a: Register) -> Register { f32x4_sqrt(a) }
    fn above(a: Register, b: Register) -> Mask { f32x4_gt(a, b) }
    fn at_most(a: Register, b: Register) -> Mask { f32x4_le(a, b) }
    fn equal(a: Register, b: Register) -> Mask { f32x4_eq(a, b) }
    fn select(mask: Mask, then: Register, otherwise: Register) -> Register { v128_bitselect(then, otherwise, mask) }
}

// SAFETY of the blocks below: callers vouch for what pointers are valid for; no alignment is needed.

#[inline(always)]
pub(super) unsafe fn load(from: *const f32) -> Register {
    // SAFETY: see above.
    unsafe { v128_load(from.cast()) }
}

#[inline(always)]
pub(super) unsafe fn store(register: Register, to: *mut f32) {
    // SAFETY: see above.
    unsafe { v128_store(to.cast(), register) }
}

#[inline(always)]
pub(super) unsafe fn load_integers(from: *const i32) -> Register {
    // SAFETY: see above.
    f32x4_convert_i32x4(unsafe { v128_load(from.cast()) })
}

/// Sixteen bytes.
#[inline(always)]
pub(super) unsafe fn load_bytes(from: *const u8) -> [Register; 4] {
    // SAFETY: see above.
    let bytes = unsafe { v128_load(from.cast()) };
    let [low, high] = [u16x8_extend_low_u8x16(bytes), u16x8_extend_high_u8x16(bytes)];
    [
        f32x4_convert_u32x4(u32x4_extend_low_u16x8(low)),
        f32x4_convert_u32x4(u32x4_extend_high_u16x8(low)),
        f32x4_convert_u32x4(u32x4_extend_low_u16x8(high)),
        f32x4_convert_u32x4(u32x4_extend_high_u16x8(high)),
    ]
}

/// Sixteen numbers, each rounded to the nearest of `0..=255`. The conversion makes 0 of NaN.
#[inline(always)]
pub(super) unsafe fn store_rounded([a, b, c, d]: [Register; 4], to: *mut u8) {
    let whole = |x: Register| i32x4_trunc_sat_f32x4(f32x4_nearest(x));
    let [low, high] = [i16x8_narrow_i32x4(whole(a), whole(b)), i16x8_narrow_i32x4(whole(c), whole(d))];
    // SAFETY: see above.
    unsafe { v128_store(to.cast(), u8x16_narrow_i16x8(low, high)) }
}

/// Eight numbers of 16 bits.
#[inline(always)]
pub(super) unsafe fn load_bf16(from: *const u16) -> [Register; 2] {
    // SAFETY: see above.
    let halves = unsafe { v128_load(from.cast()) };
    [i32x4_shl(u32x4_extend_low_u16x8(halves), 16), i32x4_shl(u32x4_extend_high_u16x8(halves), 16)]
}

/// Eight numbers, each rounded to 16 bits.
#[inline(always)]
pub(super) unsafe fn store_bf16([low, high]: [Register; 2], to: *mut u16) {
    // SAFETY: see above.
    unsafe { v128_store(to.cast(), u16x8_narrow_i32x4(rounded(low), rounded(high))) }
}

/// The upper halves, rounded: added is just less than half of the last place, or half where the last place is odd.
#[inline(always)]
fn rounded(x: Register) -> v128 {
    let odd = v128_and(u32x4_shr(x, 16), i32x4_splat(1));
    let rounded = i32x4_add(i32x4_add(x, i32x4_splat(0x7fff)), odd);
    let quiet = v128_or(x, i32x4_splat(0x0040_0000));
    u32x4_shr(v128_bitselect(rounded, quiet, f32x4_eq(x, x)), 16)
}

/// A square of four turned around.
#[inline(always)]
pub(super) fn transpose([a, b, c, d]: [Register; 4]) -> [Register; 4] {
    let [ab0, ab1] = [i32x4_shuffle::<0, 4, 2, 6>(a, b), i32x4_shuffle::<1, 5, 3, 7>(a, b)];
    let [cd0, cd1] = [i32x4_shuffle::<0, 4, 2, 6>(c, d), i32x4_shuffle::<1, 5, 3, 7>(c, d)];
    [
        i64x2_shuffle::<0, 2>(ab0, cd0),
        i64x2_shuffle::<0, 2>(ab1, cd1),
        i64x2_shuffle::<1, 3>(ab0, cd0),
        i64x2_shuffle::<1, 3>(ab1, cd1),
    ]
}
