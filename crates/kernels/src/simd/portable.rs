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
            self.0[i] = self.0[i] + other.0[i];
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
}
