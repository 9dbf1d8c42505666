//! Sixteen numbers at a time, on whatever the CPU has.
//!
//! A [`Kernel`] is written once, against [`Vector`], and every function it calls with vectors is `#[inline(always)]`.
//! [`Element::dispatch`](crate::Element::dispatch) runs it inside a function that is compiled for the chosen
//! [`InstructionSet`], so the whole kernel is compiled for it; nothing needs `-C target-cpu`.
//!
//! That the CPU has the instructions is proved by a value. `Avx512` and `Avx2` can only be got from their `new`, which
//! asks the CPU, as can `Neon`. Their vectors are types that cannot be named outside of this folder, so the only way to one
//! from there is a kernel given to `Avx512::run` or `Avx2::run`.
//!
//! The unit tests of this crate run no kernel, those in `tests` do. So with `cfg(test)` none is compiled: it would be a
//! second copy of the whole crate. With `cfg(without = "avx512")`, or `"avx2"`, kernels are not compiled for that set, and no
//! CPU is said to have it: `.ci/sanitize` runs one set.

#[cfg(any(target_arch = "aarch64", target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
#[macro_use]
mod macros;

#[cfg(test)]
mod agreement;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dispatch;
mod dot;
#[cfg(target_arch = "x86_64")]
mod dot_avx2;
#[cfg(target_arch = "x86_64")]
mod dot_avx512;
#[cfg(target_arch = "x86_64")]
mod doubles;
#[cfg(not(target_arch = "wasm32"))]
mod halves;
mod instruction_set;
mod multiply;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "aarch64")]
mod neon_cpu;
mod portable;
#[cfg(any(
    target_arch = "aarch64",
    all(target_arch = "x86_64", not(miri)),
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod quarters;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod sse2;
mod vector;

pub(crate) use dispatch::{dispatch, run_f32, run_f64};
pub use dispatch::{run_bf16, run_u8, set_bf16, set_u8};
pub use dot::{Dot, DotKernel};
#[cfg(not(target_arch = "wasm32"))]
pub use halves::Halves;
pub use instruction_set::InstructionSet;
pub(crate) use multiply::cells;
pub use multiply::{Arithmetic, Exact, Multiply, ProductKernel, Whole};
#[cfg(test)]
pub(crate) use portable::Portable;
pub use vector::{Kernel, LANES, Vector};
