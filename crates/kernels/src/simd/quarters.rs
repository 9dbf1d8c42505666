//! Vectors of four registers of 128 bits: those of NEON, of SSE2 and of WebAssembly, whose operations on one register differ
//! in name alone.

#[cfg(target_arch = "aarch64")]
use super::neon as register;
#[cfg(target_arch = "wasm32")]
use super::simd128 as register;
#[cfg(target_arch = "x86_64")]
use super::sse2 as register;
use super::vector::{LANES, Vector};
use half::bf16;
use register::Register;

/// Lanes of a register.
const WIDTH: usize = 4;

/// Sixteen `f32` in four registers.
#[derive(Clone, Copy)]
pub(super) struct Quarters([Register; 4]);

// SAFETY of the blocks below: the callers vouch for sixteen numbers, of which each register has four.
impl Vector for Quarters {
    type Element = f32;
    const PIXELS: usize = register::PIXELS;
    const PANELS: usize = 1;
    const ROWS: usize = register::PIXELS;
    const DOT: [usize; 2] = register::DOT;
    const PRODUCT: [usize; 2] = [register::PIXELS, 1];
    const REGISTERS: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => register::load(from.add(WIDTH * i))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        for (i, register) in self.0.into_iter().enumerate() {
            // SAFETY: see above.
            unsafe { register::store(register, to.add(WIDTH * i)) }
        }
    }
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([register::splat(x); 4])
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        each!(i => register::add(self.0[i], other.0[i]))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        each!(i => register::sub(self.0[i], other.0[i]))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        each!(i => register::mul(self.0[i], other.0[i]))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        each!(i => register::mul_add(self.0[i], factor.0[i], addend.0[i]))
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        each!(i => register::select(register::above(floor.0[i], self.0[i]), floor.0[i], self.0[i]))
    }
    #[inline(always)]
    fn unless_at_most(self, value: Self, floor: Self) -> Self {
        each!(i => register::select(register::at_most(value.0[i], floor.0[i]), register::splat(0.0), self.0[i]))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        each!(i => register::div(self.0[i], other.0[i]))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        each!(i => register::sqrt(self.0[i]))
    }
    #[inline(always)]
    fn select_above(self, best: Self, then: Self, otherwise: Self) -> Self {
        // NaN is unequal to itself.
        each!(i => {
            let number = register::select(register::equal(self.0[i], self.0[i]), otherwise.0[i], then.0[i]);
            register::select(register::above(self.0[i], best.0[i]), then.0[i], number)
        })
    }
    #[inline(always)]
    fn where_equal(self, a: Self, b: Self) -> Self {
        each!(i => register::select(register::equal(a.0[i], b.0[i]), self.0[i], register::splat(0.0)))
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8) {
        // SAFETY: see above.
        unsafe { register::store_rounded(self.0, to) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        // SAFETY: see above.
        Self(unsafe { register::load_bytes(from) })
    }
    #[inline(always)]
    unsafe fn load_integers(from: *const i32) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => register::load_integers(from.add(WIDTH * i))) }
    }
    #[inline(always)]
    unsafe fn load_bf16(from: *const bf16) -> Self {
        // SAFETY: see above; each call takes two registers' numbers.
        unsafe {
            let [a, b] = register::load_bf16(from.cast());
            let [c, d] = register::load_bf16(from.cast::<u16>().add(2 * WIDTH));
            Self([a, b, c, d])
        }
    }
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut bf16) {
        let [a, b, c, d] = self.0;
        // SAFETY: see above; each call takes two registers' numbers.
        unsafe {
            register::store_bf16([a, b], to.cast());
            register::store_bf16([c, d], to.cast::<u16>().add(2 * WIDTH));
        }
    }
    #[inline(always)]
    unsafe fn store_rounded(self, to: *mut u8) {
        // SAFETY: see above.
        unsafe { register::store_rounded(self.0, to) }
    }
    #[inline(always)]
    fn transpose(rows: &mut [Self; LANES]) {
        let from = *rows;
        for down in 0..4 {
            for right in 0..4 {
                let [a, b, c, d] = [0, 1, 2, 3].map(|i| from[WIDTH * down + i].0[right]);
                let turned = register::transpose([a, b, c, d]);
                for i in 0..WIDTH {
                    rows[WIDTH * right + i].0[down] = turned[i];
                }
            }
        }
    }
    #[inline(always)]
    fn permute(self, lanes: &[i32; LANES]) -> Self {
        let (mut numbers, mut permuted) = ([0.0; LANES], [0.0; LANES]);
        // SAFETY: arrays of sixteen.
        unsafe {
            self.store(numbers.as_mut_ptr());
            for (to, lane) in permuted.iter_mut().zip(lanes) {
                *to = numbers[*lane as usize];
            }
            Self::load(permuted.as_ptr())
        }
    }
}
