//! The numbers the kernels compute with: `f32`, and `f64` for checking.

use crate::buffer::Plain;
use crate::instances::Instances;
#[cfg(not(target_arch = "wasm32"))]
use crate::simd::Halves;
use crate::simd::{self, Arithmetic, Exact, InstructionSet, Kernel};
use crate::tanh;
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// `f32` or `f64`.
pub trait Element:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Plain
    + Instances
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// NaN.
    const NAN: Self;
    /// −∞.
    const NEG_INFINITY: Self;

    /// Whether [`Algorithm::Auto`](crate::Algorithm::Auto) may choose Winograd's algorithm. Numbers to check against are
    /// computed as convolutions are defined.
    const WINOGRAD: bool;

    /// How [`Algorithm::Bf16`](crate::Algorithm::Bf16) multiplies them. Numbers to check against are multiplied as they are.
    #[doc(hidden)]
    type Narrowed: Arithmetic<Number = Self>;

    /// Runs a kernel compiled for an instruction set.
    #[doc(hidden)]
    fn dispatch<K: Kernel<Self>>(set: InstructionSet, kernel: K) -> K::Output;

    /// The nearest value of this type.
    fn from_f64(x: f64) -> Self;
    /// The value as `f64`.
    fn to_f64(self) -> f64;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// `1 / (1 + e⁻ˣ)`.
    fn sigmoid(self) -> Self;
    /// `eˣ`.
    fn exp(self) -> Self;
    /// `self` to the power of `exponent`.
    fn powf(self, exponent: Self) -> Self;
    /// A whole number of `0..256` as a byte.
    fn to_byte(self) -> u8;
    /// A byte as a number.
    fn from_byte(byte: u8) -> Self;
}

macro_rules! element {
    ($type:ty, winograd: $winograd:literal, narrowed: $narrowed:ty, tanh: $tanh:path, sigmoid: $sigmoid:path, $run:path) => {
        impl Element for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAN: Self = <$type>::NAN;
            const NEG_INFINITY: Self = <$type>::NEG_INFINITY;
            const WINOGRAD: bool = $winograd;
            type Narrowed = $narrowed;

            #[inline]
            fn dispatch<K: Kernel<Self>>(set: InstructionSet, kernel: K) -> K::Output {
                $run(set, kernel)
            }

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                $sigmoid(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                self.exp()
            }
            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                self.powf(exponent)
            }
            #[inline(always)]
            fn to_byte(self) -> u8 {
                self as u8
            }
            #[inline(always)]
            fn from_byte(byte: u8) -> Self {
                Self::from(byte)
            }
        }
    };
}

/// `1 / (1 + e⁻ˣ)`: the power is of a negative number, so that nothing overflows and small results keep their digits.
fn sigmoid(x: f64) -> f64 {
    let z = (-x.abs()).exp();
    (if x < 0.0 { z } else { 1.0 }) / (1.0 + z)
}

// A web page does not train, and its module has no room for kernels that no browser is faster by.
#[cfg(target_arch = "wasm32")]
element!(f32, winograd: true, narrowed: Exact<f32>, tanh: tanh::tanh, sigmoid: tanh::sigmoid, simd::run_f32);
#[cfg(not(target_arch = "wasm32"))]
element!(f32, winograd: true, narrowed: Halves, tanh: tanh::tanh, sigmoid: tanh::sigmoid, simd::run_f32);
element!(f64, winograd: false, narrowed: Exact<f64>, tanh: f64::tanh, sigmoid: sigmoid, simd::run_f64);
