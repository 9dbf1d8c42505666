//! Vectors for every CPU, in plain Rust: what the other instruction sets are held against.

use super::{LANES, Vector};
use crate::element::Element;

/// An array the compiler vectorises as far as the target allows.
#[derive(Clone, Copy)]
pub struct Portable<T>([T; LANES]);

impl<T: Element> Vector for Portable<T> {
    type Element = T;
    const PIXELS: usize = 2;
    const PANELS: usize = 1;
    const ROWS: usize = 2;

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
    fn add(mut self, other: Self) -> Self {
        for i in 0..LANES {
            self.0[i] += other.0[i];
        }
        self
    }
    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        for i in 0..LANES {
            self.0[i] = self.0[i] - other.0[i];
        }
        self
    }
    #[inline(always)]
    fn mul(mut self, other: Self) -> Self {
        for i in 0..LANES {
            self.0[i] = self.0[i] * other.0[i];
        }
        self
    }
    #[inline(always)]
    fn mul_add(mut self, factor: Self, addend: Self) -> Self {
        for i in 0..LANES {
            self.0[i] = self.0[i].mul_add_fast(factor.0[i], addend.0[i]);
        }
        self
    }
    #[inline(always)]
    fn at_least(mut self, floor: Self) -> Self {
        for i in 0..LANES {
            self.0[i] = if floor.0[i] > self.0[i] { floor.0[i] } else { self.0[i] };
        }
        self
    }
    #[inline(always)]
    fn unless_at_most(mut self, value: Self, floor: Self) -> Self {
        for i in 0..LANES {
            self.0[i] = if value.0[i] <= floor.0[i] { T::ZERO } else { self.0[i] };
        }
        self
    }
    #[inline(always)]
    fn div(mut self, other: Self) -> Self {
        for i in 0..LANES {
            self.0[i] = self.0[i] / other.0[i];
        }
        self
    }
    #[inline(always)]
    fn sqrt(mut self) -> Self {
        for i in 0..LANES {
            self.0[i] = self.0[i].sqrt();
        }
        self
    }
    #[inline(always)]
    // What is not a number is unequal to itself.
    #[allow(clippy::eq_op)]
    fn select_above(mut self, best: Self, then: Self, otherwise: Self) -> Self {
        for i in 0..LANES {
            let above = self.0[i] > best.0[i] || self.0[i] != self.0[i];
            self.0[i] = if above { then.0[i] } else { otherwise.0[i] };
        }
        self
    }
    #[inline(always)]
    fn where_equal(mut self, a: Self, b: Self) -> Self {
        for i in 0..LANES {
            self.0[i] = if a.0[i] == b.0[i] { self.0[i] } else { T::ZERO };
        }
        self
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
