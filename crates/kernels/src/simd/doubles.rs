//! `f64` on AVX2: four registers a vector. There to check against, so that only what inner loops do is written out; the rest
//! goes by way of plain Rust.

use super::avx2::Avx2;
use super::portable::Portable;
use super::vector::{Kernel, LANES, Vector};
use half::bf16;
use std::arch::x86_64::*;

impl Avx2 {
    /// Runs a kernel on `f64`.
    #[inline]
    pub(super) fn run_f64<K: Kernel<f64>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel<f64>>(kernel: K) -> K::Output {
            kernel.run::<Doubles>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }
}

/// Lanes of a register.
const WIDTH: usize = 4;

/// Sixteen `f64` in four registers. No other module can name this type: it is reached through an [`Avx2`] alone.
#[derive(Clone, Copy)]
struct Doubles([__m256d; 4]);

impl Doubles {
    #[inline(always)]
    fn plain(self) -> Portable<f64> {
        let mut numbers = [0.0; LANES];
        // SAFETY: an array of sixteen.
        unsafe { self.store(numbers.as_mut_ptr()) }
        Portable(numbers)
    }
    #[inline(always)]
    fn of(plain: Portable<f64>) -> Self {
        // SAFETY: an array of sixteen.
        unsafe { Self::load(plain.0.as_ptr()) }
    }
}

// SAFETY of the blocks below: the intrinsics need AVX2 and FMA, and whoever uses this type has got here with an `Avx2`. Where
// memory is read or written, the caller vouches for sixteen numbers.
impl Vector for Doubles {
    type Element = f64;
    // 2 pixels times 4 registers of accumulators, 4 of weights and a broadcast: 13 of 16 registers.
    const PIXELS: usize = 2;
    const PANELS: usize = 1;
    const ROWS: usize = 2;
    const DOT: [usize; 2] = [2, 1];
    const PRODUCT: [usize; 2] = [2, 1];
    const REGISTERS: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_loadu_pd(from.add(WIDTH * i))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        for (i, register) in self.0.into_iter().enumerate() {
            // SAFETY: the caller vouches for sixteen writable numbers.
            unsafe { _mm256_storeu_pd(to.add(WIDTH * i), register) }
        }
    }
    #[inline(always)]
    fn splat(x: f64) -> Self {
        // SAFETY: see above.
        unsafe { each!(_i => _mm256_set1_pd(x)) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_add_pd(self.0[i], other.0[i])) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_sub_pd(self.0[i], other.0[i])) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_mul_pd(self.0[i], other.0[i])) }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_fmadd_pd(self.0[i], factor.0[i], addend.0[i])) }
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        // SAFETY: see above. The instruction gives its second operand unless the first is greater.
        unsafe { each!(i => _mm256_max_pd(floor.0[i], self.0[i])) }
    }
    #[inline(always)]
    fn unless_at_most(self, value: Self, floor: Self) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_and_pd(_mm256_cmp_pd::<_CMP_NLE_UQ>(value.0[i], floor.0[i]), self.0[i])) }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_div_pd(self.0[i], other.0[i])) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_sqrt_pd(self.0[i])) }
    }
    #[inline(always)]
    fn select_above(self, best: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: see above. Above, or NaN.
        unsafe {
            each!(i => {
                let above = _mm256_cmp_pd::<_CMP_GT_OQ>(self.0[i], best.0[i]);
                let wanted = _mm256_or_pd(above, _mm256_cmp_pd::<_CMP_UNORD_Q>(self.0[i], self.0[i]));
                _mm256_blendv_pd(otherwise.0[i], then.0[i], wanted)
            })
        }
    }
    #[inline(always)]
    fn where_equal(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { each!(i => _mm256_and_pd(_mm256_cmp_pd::<_CMP_EQ_OQ>(a.0[i], b.0[i]), self.0[i])) }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8) {
        // SAFETY: as the caller says.
        unsafe { self.plain().store_bytes(to) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        // SAFETY: as the caller says.
        Self::of(unsafe { Portable::load_bytes(from) })
    }
    #[inline(always)]
    unsafe fn load_integers(from: *const i32) -> Self {
        // SAFETY: as the caller says.
        Self::of(unsafe { Portable::load_integers(from) })
    }
    #[inline(always)]
    unsafe fn load_bf16(from: *const bf16) -> Self {
        // SAFETY: as the caller says.
        Self::of(unsafe { Portable::load_bf16(from) })
    }
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut bf16) {
        // SAFETY: as the caller says.
        unsafe { self.plain().store_bf16(to) }
    }
    #[inline(always)]
    unsafe fn store_rounded(self, to: *mut u8) {
        // SAFETY: as the caller says.
        unsafe { self.plain().store_rounded(to) }
    }
    #[inline(always)]
    fn transpose(rows: &mut [Self; LANES]) {
        let mut plain = [Portable::zero(); LANES];
        for (plain, row) in plain.iter_mut().zip(rows.iter()) {
            *plain = row.plain();
        }
        Portable::transpose(&mut plain);
        for (row, plain) in rows.iter_mut().zip(plain) {
            *row = Self::of(plain);
        }
    }
    #[inline(always)]
    fn permute(self, lanes: &[i32; LANES]) -> Self {
        Self::of(self.plain().permute(lanes))
    }
}
