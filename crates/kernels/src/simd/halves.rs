//! Products of pairs of `bf16`, with sums of 32 bits: how training in bf16 multiplies. A web page does not train.

#[cfg(target_arch = "x86_64")]
use super::dot_avx512::Bf16;
use super::instruction_set::InstructionSet;
use super::multiply::{Arithmetic, Multiply, ProductKernel};
use super::portable::Portable;
use super::vector::{LANES, Vector};
use half::bf16;

/// Pairs of `bf16`.
pub struct Halves(());

impl Arithmetic for Halves {
    type Number = f32;
    const DEPTH: usize = 2;

    #[inline]
    fn dispatch<K: ProductKernel<f32>>(set: InstructionSet, kernel: K) -> K::Output {
        if cfg!(test) {
            unreachable!("unit tests run no kernel");
        }
        #[cfg(target_arch = "x86_64")]
        if cfg!(not(without = "avx512"))
            && set == InstructionSet::Avx512
            && let Some(cpu) = Bf16::new()
        {
            return cpu.run_products(kernel);
        }
        let _ = set;
        kernel.run::<Pairs>()
    }
}

/// Pairs of `bf16` in plain Rust, to check against.
#[derive(Clone, Copy)]
struct Pairs;

impl Multiply for Pairs {
    type Number = f32;
    type Vector = Portable<f32>;
    type Factors = [u32; LANES];
    type Cell = bf16;
    const DEPTH: usize = 2;

    #[inline(always)]
    fn cell(x: f32) -> bf16 {
        bf16::from_f32(x)
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [u32; LANES] {
        // SAFETY: the caller vouches for sixteen factors, which may be any bits.
        unsafe { from.cast::<[u32; LANES]>().read() }
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> [u32; LANES] {
        // SAFETY: the caller vouches for a factor.
        [unsafe { from.cast::<u32>().read() }; LANES]
    }
    #[inline(always)]
    fn multiply_add(a: [u32; LANES], b: [u32; LANES], sum: Portable<f32>) -> Portable<f32> {
        let half = |factors: [u32; LANES], which: usize| {
            Portable(factors.map(|factor| f32::from_bits(if which == 0 { factor << 16 } else { factor & 0xffff_0000 })))
        };
        half(a, 1).mul_add(half(b, 1), half(a, 0).mul_add(half(b, 0), sum))
    }
    #[inline(always)]
    unsafe fn store(x: Portable<f32>, to: *mut bf16) {
        // SAFETY: as the caller says.
        unsafe { x.store_bf16(to) }
    }
    #[inline(always)]
    unsafe fn store_together(vectors: [Portable<f32>; 2], to: *mut f32) {
        for (which, x) in vectors.into_iter().enumerate() {
            // SAFETY: as the caller says.
            unsafe { Self::store_beside(x, which, to) }
        }
    }
    #[inline(always)]
    unsafe fn store_beside(x: Portable<f32>, which: usize, to: *mut f32) {
        for (lane, x) in x.0.into_iter().enumerate() {
            // SAFETY: within the sixteen factors that the caller vouches for.
            unsafe {
                let to = to.cast::<[bf16; 2]>().add(lane);
                let mut both = if which == 0 { [bf16::ZERO; 2] } else { to.read() };
                both[which] = bf16::from_f32(x);
                to.write(both);
            }
        }
    }
}
