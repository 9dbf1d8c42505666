//! Which instructions to use, found out at run time.

use super::{Portable, Vector};
use crate::element::Element;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// The environment variable that forces an instruction set: `avx512`, `avx2` or `portable`.
const FORCED_BY: &str = "CNN_INSTRUCTION_SET";

/// A set of vector instructions the kernels know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstructionSet {
    /// AVX-512F, with AVX2 and FMA.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// What the compiler makes of plain Rust for the target.
    Portable,
}

impl InstructionSet {
    /// All of them, widest first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// The set all kernels use: what `CNN_INSTRUCTION_SET` names, else the widest this CPU has. Decided once in a
    /// process.
    ///
    /// # Panics
    ///
    /// Where the variable names none, or one this CPU lacks; ask [`InstructionSet::forced`] first for an error.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();
        *CHOSEN.get_or_init(|| match Self::forced() {
            Ok(forced) => forced.unwrap_or_else(Self::widest),
            Err(problem) => panic!("{problem}"),
        })
    }

    /// What the environment variable asks for, if it is set and not empty.
    ///
    /// # Errors
    ///
    /// A sentence where it names no set, or one this CPU lacks.
    pub fn forced() -> Result<Option<Self>, String> {
        let name = std::env::var_os(FORCED_BY).unwrap_or_default();
        if name.is_empty() {
            return Ok(None);
        }
        let set: Self = name.to_string_lossy().parse().map_err(|problem| format!("{FORCED_BY}: {problem}"))?;
        match set.available() {
            true => Ok(Some(set)),
            false => Err(format!("{FORCED_BY}: this CPU has no {set}")),
        }
    }

    /// The widest set this CPU has.
    pub fn widest() -> Self {
        Self::ALL.into_iter().find(|set| set.available()).unwrap_or(Self::Portable)
    }

    /// Whether this CPU has it.
    pub fn available(self) -> bool {
        match self {
            // Miri interprets plain Rust; of the vector instructions it knows only some.
            Self::Avx512 | Self::Avx2 if cfg!(miri) => false,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f") && Self::Avx2.available(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            Self::Portable => true,
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        })
    }
}

impl FromStr for InstructionSet {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|set| set.to_string() == name);
        known.ok_or_else(|| format!("{name} is not one of avx512, avx2, portable"))
    }
}

/// A computation written for any [`Vector`].
pub trait Kernel<T> {
    /// What it gives.
    type Output;
    /// The computation; `#[inline(always)]`, and so must be everything it calls with vectors.
    fn run<V: Vector<Element = T>>(self) -> Self::Output;
}

/// Runs a kernel compiled for an instruction set. A set this CPU lacks falls back to the portable one.
#[inline]
pub(crate) fn dispatch<T: Element, K: Kernel<T>>(set: InstructionSet, kernel: K) -> K::Output {
    match set {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 if set.available() => {
            // SAFETY: the CPU has just said that it has the instructions.
            unsafe { avx512(kernel) }
        }
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 if set.available() => {
            // SAFETY: the CPU has just said that it has the instructions.
            unsafe { avx2(kernel) }
        }
        _ => kernel.run::<Portable<T>>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn avx512<T: Element, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T::Avx512>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Element, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T::Avx2>()
}
