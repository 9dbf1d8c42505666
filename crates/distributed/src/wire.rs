//! How numbers travel.

use half::bf16;
use serde::{Deserialize, Serialize};

/// The format in which numbers travel between ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Wire {
    /// As they are.
    #[default]
    F32,
    /// The upper 16 bits, rounded to even: half the bytes. So that bits do not depend on the number of ranks, every node
    /// of the tree is rounded, also where nothing travels.
    Bf16,
}

impl Wire {
    /// Bytes of a number.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 2,
        }
    }

    /// Rounds numbers to what can travel.
    pub(crate) fn round(self, numbers: &mut [f32]) {
        if self == Self::Bf16 {
            numbers.iter_mut().for_each(|x| *x = bf16::from_f32(*x).to_f32());
        }
    }

    /// The bytes of rounded numbers, in `bytes`.
    pub(crate) fn encode(self, numbers: &[f32], bytes: &mut Vec<u8>) {
        bytes.clear();
        match self {
            Self::F32 => bytes.extend_from_slice(bytemuck::cast_slice(numbers)),
            Self::Bf16 => bytes.extend(numbers.iter().flat_map(|x| bf16::from_f32(*x).to_ne_bytes())),
        }
    }

    /// The numbers that `bytes` hold.
    pub(crate) fn decode(self, bytes: &[u8]) -> impl Iterator<Item = f32> {
        bytes.chunks_exact(self.bytes()).map(move |bytes| match *bytes {
            [a, b, c, d] => f32::from_ne_bytes([a, b, c, d]),
            [a, b] => bf16::from_ne_bytes([a, b]).to_f32(),
            _ => f32::NAN,
        })
    }
}
