//! The narrow numbers there are.

use super::instances::Instances;
use crate::buffer::Plain;
use crate::inference::Number;
use crate::simd::{self, DotKernel, InstructionSet, LANES, Vector};
use half::bf16;
use std::fmt::Debug;

/// Vectors that are stored at once.
pub(super) const FOUR: usize = 4;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::bf16 {}
    impl Sealed for u8 {}
    impl Sealed for f32 {}
}

/// A number a kernel of this module writes: `bf16`, `u8` or `f32`.
pub trait Stored: Plain + Default + PartialEq + Debug + sealed::Sealed {
    /// Sixteen of them as `f32`.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reading sixteen numbers.
    #[doc(hidden)]
    unsafe fn load<V: Vector<Element = f32>>(from: *const Self) -> V;
    /// Writes sixteen of them, rounded to the nearest, to the even one of two.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing sixteen numbers.
    #[doc(hidden)]
    unsafe fn store<V: Vector<Element = f32>>(values: V, to: *mut Self);
    /// What is less is stored as this, whatever it is; none where every number is stored as it is.
    #[doc(hidden)]
    const LEAST: Option<f32> = None;
    /// The same with four times as many. Whoever says `BOUNDED` knows that the integers nearest to the numbers fit 32 bits.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing 64 numbers.
    #[doc(hidden)]
    #[inline(always)]
    unsafe fn store_four<V: Vector<Element = f32>, const BOUNDED: bool>(values: [V; FOUR], to: *mut Self) {
        for (number, values) in values.into_iter().enumerate() {
            // SAFETY: as the caller says.
            unsafe { Self::store(values, to.add(number * LANES)) }
        }
    }
}

/// A number of fewer than 32 bits that maps are made of: `bf16`, or `u8` for an 8-bit integer with a scale and a zero
/// point ([`Quantisation`](super::Quantisation)).
pub trait Format: Stored + Instances {
    /// What it is called in an arena.
    const NUMBER: Number;

    /// What weights are made of.
    type Weight: Copy + Default + Send + Sync + 'static;

    /// Whether they are ordered as unsigned integers, the least all zeros; then [`Format::larger`] is right.
    #[doc(hidden)]
    const ORDERED: bool = false;
    /// The larger of two.
    #[doc(hidden)]
    #[inline(always)]
    fn larger(a: Self, _: Self) -> Self {
        a
    }
    /// The integer it is, where they are ordered.
    #[doc(hidden)]
    #[inline(always)]
    fn integer(self) -> u8 {
        0
    }
    /// The weight as a number, to be added up for each output; 0 where nobody asks.
    #[doc(hidden)]
    fn whole(weight: Self::Weight) -> i32;
    /// What a sum starts from: takes off what the zero point adds, given the sum of the weights.
    #[doc(hidden)]
    fn start(zero: Self, whole: i32) -> u32;
    /// A bound of the sum of so many products, before and after the zero point is taken off.
    #[doc(hidden)]
    fn most(products: usize) -> f32;
    /// Sixteen sums as `f32`.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reading sixteen words.
    #[doc(hidden)]
    unsafe fn sums<V: Vector<Element = f32>>(from: *const u32) -> V;
    /// Runs a kernel compiled for an instruction set.
    #[doc(hidden)]
    fn dispatch<K: DotKernel<Self>>(set: InstructionSet, kernel: K) -> K::Output;
    /// The set whose way of multiplying is taken where this one is asked for.
    #[doc(hidden)]
    fn set(set: InstructionSet) -> InstructionSet;
}

impl Stored for f32 {
    #[inline(always)]
    unsafe fn load<V: Vector<Element = f32>>(from: *const f32) -> V {
        // SAFETY: as the caller says.
        unsafe { V::load(from) }
    }
    #[inline(always)]
    unsafe fn store<V: Vector<Element = f32>>(values: V, to: *mut f32) {
        // SAFETY: as the caller says.
        unsafe { values.store(to) }
    }
}

impl Stored for bf16 {
    #[inline(always)]
    unsafe fn load<V: Vector<Element = f32>>(from: *const bf16) -> V {
        // SAFETY: as the caller says.
        unsafe { V::load_bf16(from) }
    }
    #[inline(always)]
    unsafe fn store<V: Vector<Element = f32>>(values: V, to: *mut bf16) {
        // SAFETY: as the caller says.
        unsafe { values.store_bf16(to) }
    }
}

impl Stored for u8 {
    #[inline(always)]
    unsafe fn load<V: Vector<Element = f32>>(from: *const u8) -> V {
        // SAFETY: as the caller says.
        unsafe { V::load_bytes(from) }
    }
    #[inline(always)]
    unsafe fn store<V: Vector<Element = f32>>(values: V, to: *mut u8) {
        // SAFETY: as the caller says.
        unsafe { values.store_rounded(to) }
    }
    const LEAST: Option<f32> = Some(0.0);
    #[inline(always)]
    unsafe fn store_four<V: Vector<Element = f32>, const BOUNDED: bool>(values: [V; FOUR], to: *mut u8) {
        // SAFETY: as the caller says.
        unsafe { V::store_four_rounded::<BOUNDED>(values, to) }
    }
}

impl Format for bf16 {
    const NUMBER: Number = Number::Bf16;
    type Weight = bf16;

    fn whole(_: bf16) -> i32 {
        0
    }
    #[inline(always)]
    fn start(_: bf16, _: i32) -> u32 {
        0
    }
    fn most(_: usize) -> f32 {
        f32::INFINITY
    }
    #[inline(always)]
    unsafe fn sums<V: Vector<Element = f32>>(from: *const u32) -> V {
        // SAFETY: as the caller says.
        unsafe { V::load(from.cast()) }
    }
    #[inline]
    fn dispatch<K: DotKernel<bf16>>(set: InstructionSet, kernel: K) -> K::Output {
        simd::run_bf16(set, kernel)
    }
    fn set(set: InstructionSet) -> InstructionSet {
        simd::set_bf16(set)
    }
}

impl Format for u8 {
    const NUMBER: Number = Number::U8;
    type Weight = i8;

    const ORDERED: bool = true;
    #[inline(always)]
    fn larger(a: u8, b: u8) -> u8 {
        a.max(b)
    }
    #[inline(always)]
    fn integer(self) -> u8 {
        self
    }
    fn whole(weight: i8) -> i32 {
        i32::from(weight)
    }
    #[inline(always)]
    fn start(zero: u8, whole: i32) -> u32 {
        whole.wrapping_mul(-i32::from(zero)).cast_unsigned()
    }
    fn most(products: usize) -> f32 {
        products as f32 * (255.0 * 128.0)
    }
    #[inline(always)]
    unsafe fn sums<V: Vector<Element = f32>>(from: *const u32) -> V {
        // SAFETY: as the caller says.
        unsafe { V::load_integers(from.cast()) }
    }
    #[inline]
    fn dispatch<K: DotKernel<u8>>(set: InstructionSet, kernel: K) -> K::Output {
        simd::run_u8(set, kernel)
    }
    fn set(set: InstructionSet) -> InstructionSet {
        simd::set_u8(set)
    }
}

/// Whether `bf16` is faster than `f32` on this CPU. It is computed on every one.
///
/// # Errors
///
/// A sentence that says which instructions the CPU, or the set that is asked for, lacks.
pub fn bf16_available(set: InstructionSet) -> Result<(), String> {
    if set == InstructionSet::Avx512 && simd::set_bf16(set) == set && set.available() {
        return Ok(());
    }
    Err(match set {
        InstructionSet::Avx512 => "this CPU has no AVX512_BF16, the instructions that multiply bf16".into(),
        other => format!("{other} has no instructions that multiply bf16; that takes avx512 with AVX512_BF16"),
    })
}

/// The instruction 8-bit numbers are multiplied by where `set` is asked for. The results are the same by all.
pub fn int8_unit(set: InstructionSet) -> &'static str {
    match simd::set_u8(set) {
        InstructionSet::Avx512 => "vpdpbusd",
        InstructionSet::Avx2 => "vpmaddwd",
        _ => "plain products of 16 bits",
    }
}
