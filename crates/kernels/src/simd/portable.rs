//! Vectors for every CPU, in plain Rust: what those of the instruction sets are held against, operation by operation.

use super::vector::{LANES, Vector};
use crate::element::Element;
use half::bf16;

/// An array with a number for each lane `i`. Written out rather than a loop: loops over lanes take the compiler twice as
/// long.
macro_rules! lanes {
    ($i:ident => $lane:expr) => { lanes!(@ $i, $lane, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) };
    (@ $i:ident, $lane:expr, $($number:literal)*) => { [$({ let $i: usize = $number; $lane }),*] };
}

/// An array the compiler vectorises as far as the target allows.
#[derive(Clone, Copy)]
pub struct Portable<T>(pub(super) [T; LANES]);

impl<T: Element> Vector for Portable<T> {
    type Element = T;
    const PIXELS: usize = 2;
    const PANELS: usize = 1;
    const ROWS: usize = 2;
    const DOT: [usize; 2] = [2, 1];
    const PRODUCT: [usize; 2] = [2, 1];
    const REGISTERS: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers; an array of them needs no more alignment.
        Self(unsafe { from.cast::<[T; LANES]>().read() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller vouches for sixteen writable numbers.
        unsafe { to.cast::<[T; LANES]>().write(self.0) }
    }
    #[inline(always)]
    fn splat(x: T) -> Self {
        Self([x; LANES])
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(lanes!(i => self.0[i] + other.0[i]))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(lanes!(i => self.0[i] - other.0[i]))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(lanes!(i => self.0[i] * other.0[i]))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // Rounded twice on every CPU, so that its bits are the same on all of them.
        Self(lanes!(i => self.0[i] * factor.0[i] + addend.0[i]))
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        Self(lanes!(i => if floor.0[i] > self.0[i] { floor.0[i] } else { self.0[i] }))
    }
    #[inline(always)]
    fn unless_at_most(self, value: Self, floor: Self) -> Self {
        Self(lanes!(i => if value.0[i] <= floor.0[i] { T::ZERO } else { self.0[i] }))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(lanes!(i => self.0[i] / other.0[i]))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(lanes!(i => self.0[i].sqrt()))
    }
    #[inline(always)]
    // NaN is unequal to itself.
    #[allow(clippy::eq_op)]
    fn select_above(self, best: Self, then: Self, otherwise: Self) -> Self {
        Self(lanes!(i => if self.0[i] > best.0[i] || self.0[i] != self.0[i] { then.0[i] } else { otherwise.0[i] }))
    }
    #[inline(always)]
    fn where_equal(self, a: Self, b: Self) -> Self {
        Self(lanes!(i => if a.0[i] == b.0[i] { self.0[i] } else { T::ZERO }))
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8) {
        let mut bytes = [0; LANES];
        for (byte, number) in bytes.iter_mut().zip(self.0) {
            *byte = number.to_byte();
        }
        // SAFETY: the caller vouches for sixteen writable bytes.
        unsafe { to.cast::<[u8; LANES]>().write(bytes) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        // SAFETY: the caller vouches for sixteen readable bytes.
        let bytes = unsafe { from.cast::<[u8; LANES]>().read() };
        let mut numbers = [T::ZERO; LANES];
        for (number, byte) in numbers.iter_mut().zip(bytes) {
            *number = T::from_byte(byte);
        }
        Self(numbers)
    }
    #[inline(always)]
    unsafe fn load_integers(from: *const i32) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers.
        Self(of_integers(unsafe { &*from.cast() }))
    }
    #[inline(always)]
    unsafe fn load_bf16(from: *const bf16) -> Self {
        // SAFETY: the caller vouches for sixteen readable numbers.
        Self(of_bf16(unsafe { &*from.cast() }))
    }
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut bf16) {
        // SAFETY: the caller vouches for sixteen writable numbers.
        unsafe { to.cast::<[bf16; LANES]>().write(to_bf16(&self.0)) }
    }
    #[inline(always)]
    unsafe fn store_rounded(self, to: *mut u8) {
        // SAFETY: the caller vouches for sixteen writable bytes.
        unsafe { to.cast::<[u8; LANES]>().write(rounded(&self.0)) }
    }
    #[inline(always)]
    fn transpose(rows: &mut [Self; LANES]) {
        for i in 0..LANES {
            for j in 0..i {
                (rows[i].0[j], rows[j].0[i]) = (rows[j].0[i], rows[i].0[j]);
            }
        }
    }
    #[inline(always)]
    fn permute(self, lanes: &[i32; LANES]) -> Self {
        let mut permuted = self;
        for (to, lane) in permuted.0.iter_mut().zip(lanes) {
            *to = self.0[*lane as usize];
        }
        permuted
    }
}

// Conversions are calls: written out at every use, they took the compiler longer than all that is computed.

#[inline(never)]
fn of_integers<T: Element>(integers: &[i32; LANES]) -> [T; LANES] {
    integers.map(|integer| T::from_f64(f64::from(integer)))
}

#[inline(never)]
fn of_bf16<T: Element>(numbers: &[bf16; LANES]) -> [T; LANES] {
    numbers.map(|number| T::from_f64(number.to_f64()))
}

#[inline(never)]
fn to_bf16<T: Element>(numbers: &[T; LANES]) -> [bf16; LANES] {
    numbers.map(|number| bf16::from_f32(number.to_f64() as f32))
}

#[inline(never)]
fn rounded<T: Element>(numbers: &[T; LANES]) -> [u8; LANES] {
    numbers.map(|number| number.to_f64().clamp(0.0, 255.0).round_ties_even() as u8)
}
