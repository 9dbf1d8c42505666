//! Which instructions to use, found out at run time.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// The environment variable that forces an instruction set: `avx512`, `avx2`, `neon`, `simd128` or `portable`.
const FORCED_BY: &str = "CNN_INSTRUCTION_SET";

/// A set of vector instructions the kernels know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InstructionSet {
    /// AVX-512F, BW and VL, with AVX2 and FMA.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// NEON, of 64-bit ARM.
    Neon,
    /// WebAssembly's vectors of 128 bits, where the program was built with them.
    Simd128,
    /// What every CPU of the target has: SSE2 of x86-64, WebAssembly's vectors where the program was built with them, else
    /// what the compiler makes of plain Rust. The bits do not depend on which.
    Portable,
}

impl InstructionSet {
    /// All of them, widest first.
    pub const ALL: [Self; 5] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Simd128, Self::Portable];

    /// The set all kernels use: what `CNN_INSTRUCTION_SET` names, else the widest this CPU has. Decided once in a
    /// process.
    ///
    /// # Panics
    ///
    /// Where the variable names none, or one this CPU lacks; [`InstructionSet::try_chosen`] gives an error instead.
    pub fn chosen() -> Self {
        Self::try_chosen().unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// The same, for whoever has an error to return.
    ///
    /// # Errors
    ///
    /// As [`InstructionSet::forced`].
    pub fn try_chosen() -> Result<Self, String> {
        static CHOSEN: OnceLock<Result<InstructionSet, String>> = OnceLock::new();
        CHOSEN.get_or_init(|| Ok(Self::forced()?.unwrap_or_else(Self::widest))).clone()
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
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::new().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => super::neon_cpu::Neon::new().is_some(),
            #[cfg(not(target_arch = "aarch64"))]
            Self::Neon => false,
            Self::Simd128 => cfg!(all(target_arch = "wasm32", target_feature = "simd128")),
            Self::Portable => true,
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Simd128 => "simd128",
            Self::Portable => "portable",
        })
    }
}

impl FromStr for InstructionSet {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|set| set.to_string() == name);
        known.ok_or_else(|| format!("{name} is not one of avx512, avx2, neon, simd128, portable"))
    }
}
