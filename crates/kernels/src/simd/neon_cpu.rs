//! The proof that a CPU has NEON, and what runs kernels with it.

use super::dot::{self, DotKernel};
use super::quarters::Quarters;
use super::vector::Kernel;
use half::bf16;

/// Proof that this CPU has NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// Asks the CPU.
    pub fn new() -> Option<Self> {
        let has = !cfg!(miri) && std::arch::is_aarch64_feature_detected!("neon");
        has.then_some(Self(()))
    }

    /// Runs a kernel with 128-bit registers.
    #[inline]
    pub fn run<K: Kernel<f32>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn compiled<K: Kernel<f32>>(kernel: K) -> K::Output {
            kernel.run::<Quarters>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }

    /// Runs a kernel on `bf16`, which are multiplied in plain Rust.
    #[inline]
    pub(super) fn run_bf16<K: DotKernel<bf16>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn compiled<K: DotKernel<bf16>>(kernel: K) -> K::Output {
            kernel.run::<Quarters, dot::Widened>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }

    /// Runs a kernel on 8-bit numbers, which are multiplied in plain Rust.
    #[inline]
    pub(super) fn run_u8<K: DotKernel<u8>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn compiled<K: DotKernel<u8>>(kernel: K) -> K::Output {
            kernel.run::<Quarters, dot::Integers>()
        }
        // SAFETY: the CPU has the instructions; `self` proves it.
        unsafe { compiled(kernel) }
    }
}
