//! From an instruction set to the function that is compiled for it.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
use super::dot::{DotKernel, Integers, Widened};
#[cfg(target_arch = "x86_64")]
use super::dot_avx512;
use super::instruction_set::InstructionSet;
#[cfg(target_arch = "aarch64")]
use super::neon_cpu::Neon;
use super::portable::Portable;
#[cfg(any(all(target_arch = "x86_64", not(miri)), all(target_arch = "wasm32", target_feature = "simd128")))]
use super::quarters::Quarters;
use super::vector::Kernel;
use crate::element::Element;
use half::bf16;

/// What [`InstructionSet::Portable`] computes `f32` with: the registers that every CPU of the target has, where they are known
/// here, else plain Rust, which takes the compiler longer. The bits are the same.
#[cfg(any(all(target_arch = "x86_64", not(miri)), all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) type Baseline = Quarters;
#[cfg(not(any(all(target_arch = "x86_64", not(miri)), all(target_arch = "wasm32", target_feature = "simd128"))))]
pub(super) type Baseline = Portable<f32>;

/// Runs a kernel compiled for an instruction set. Instead of one that this CPU lacks, or that has no vectors of such numbers,
/// it is compiled for one that it has.
#[inline]
pub(crate) fn dispatch<T: Element, K: Kernel<T>>(set: InstructionSet, kernel: K) -> K::Output {
    T::dispatch(set, kernel)
}

#[inline]
pub(crate) fn run_f32<K: Kernel<f32>>(set: InstructionSet, kernel: K) -> K::Output {
    if cfg!(test) {
        unreachable!("unit tests run no kernel");
    }
    #[cfg(target_arch = "x86_64")]
    if cfg!(not(without = "avx512"))
        && set == InstructionSet::Avx512
        && let Some(cpu) = Avx512::new()
    {
        return cpu.run(kernel);
    } else if cfg!(not(without = "avx2"))
        && set == InstructionSet::Avx2
        && let Some(cpu) = Avx2::new()
    {
        return cpu.run(kernel);
    }
    #[cfg(target_arch = "aarch64")]
    if set == InstructionSet::Neon
        && let Some(cpu) = Neon::new()
    {
        return cpu.run(kernel);
    }
    let _ = set;
    kernel.run::<Baseline>()
}

/// `f64` is there to check against: of vector instructions AVX2 is enough.
#[inline]
pub(crate) fn run_f64<K: Kernel<f64>>(set: InstructionSet, kernel: K) -> K::Output {
    if cfg!(test) {
        unreachable!("unit tests run no kernel");
    }
    #[cfg(target_arch = "x86_64")]
    if cfg!(not(without = "avx2"))
        && set != InstructionSet::Portable
        && let Some(cpu) = Avx2::new()
    {
        return cpu.run_f64(kernel);
    }
    let _ = set;
    kernel.run::<Portable<f64>>()
}

/// The set whose way of multiplying `bf16` is taken where `set` is asked for.
pub fn set_bf16(set: InstructionSet) -> InstructionSet {
    #[cfg(target_arch = "x86_64")]
    if set == InstructionSet::Avx512 && dot_avx512::Bf16::new().is_none() {
        return InstructionSet::Avx2;
    }
    set
}

/// The set whose way of multiplying 8-bit numbers is taken where `set` is asked for.
pub fn set_u8(set: InstructionSet) -> InstructionSet {
    #[cfg(target_arch = "x86_64")]
    if set == InstructionSet::Avx512 && dot_avx512::Vnni::new().is_none() {
        return InstructionSet::Avx2;
    }
    set
}

/// Runs a kernel on `bf16`.
#[inline]
pub fn run_bf16<K: DotKernel<bf16>>(set: InstructionSet, kernel: K) -> K::Output {
    if cfg!(test) {
        unreachable!("unit tests run no kernel");
    }
    #[cfg(target_arch = "x86_64")]
    match set_bf16(set) {
        InstructionSet::Avx512 => {
            if cfg!(not(without = "avx512"))
                && let Some(cpu) = dot_avx512::Bf16::new()
            {
                return cpu.run(kernel);
            }
        }
        InstructionSet::Avx2 => {
            if cfg!(not(without = "avx2"))
                && let Some(cpu) = Avx2::new()
            {
                return cpu.run_bf16(kernel);
            }
        }
        _ => {}
    }
    #[cfg(target_arch = "aarch64")]
    if set == InstructionSet::Neon
        && let Some(cpu) = Neon::new()
    {
        return cpu.run_bf16(kernel);
    }
    let _ = set;
    kernel.run::<Baseline, Widened>()
}

/// Runs a kernel on 8-bit numbers.
#[inline]
pub fn run_u8<K: DotKernel<u8>>(set: InstructionSet, kernel: K) -> K::Output {
    if cfg!(test) {
        unreachable!("unit tests run no kernel");
    }
    #[cfg(target_arch = "x86_64")]
    match set_u8(set) {
        InstructionSet::Avx512 => {
            if cfg!(not(without = "avx512"))
                && let Some(cpu) = dot_avx512::Vnni::new()
            {
                return cpu.run(kernel);
            }
        }
        InstructionSet::Avx2 => {
            if cfg!(not(without = "avx2"))
                && let Some(cpu) = Avx2::new()
            {
                return cpu.run_u8(kernel);
            }
        }
        _ => {}
    }
    #[cfg(target_arch = "aarch64")]
    if set == InstructionSet::Neon
        && let Some(cpu) = Neon::new()
    {
        return cpu.run_u8(kernel);
    }
    let _ = set;
    kernel.run::<Baseline, Integers>()
}
