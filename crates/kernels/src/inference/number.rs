//! The kinds of numbers that lie in an arena.

use crate::simd::LANES;

/// What the numbers of a value are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Number {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, 8 of them a fraction.
    Bf16,
    /// 8 bits, with a scale and a zero point.
    U8,
}

impl Number {
    /// Whether Winograd's algorithms read and write `bf16`: modules of web pages, which compute in `f32`, leave that out.
    pub(super) const HALVES: bool = cfg!(not(target_arch = "wasm32"));

    /// Words of 32 bits that sixteen of them take, the channels of a pixel's block.
    pub fn words(self) -> usize {
        match self {
            Self::F32 => LANES,
            Self::Bf16 => LANES / 2,
            Self::U8 => LANES / 4,
        }
    }
}
