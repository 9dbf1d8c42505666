//! Which algorithm computes a convolution of a program: the one file where that is decided.
//!
//! Each algorithm has a predicted time: of its multiply-adds, of its transforms, and of the weights that come from
//! memory, which is most where maps are small. Shapes and the expected batch decide, nothing is measured, so the same
//! network is always computed in the same way on the same machine's [`Machine`].

use super::winograd;
use crate::conv::Conv;
use crate::simd::LANES;

/// How a convolution of a program is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConvAlgorithm {
    /// As it is defined.
    Direct,
    /// Winograd's F(2×2, 3×3).
    Winograd2x3,
    /// Winograd's F(4×4, 3×3).
    Winograd4x3,
    /// Winograd's F(6×6, 3×3).
    Winograd6x3,
    /// Winograd's F(2×2, 5×5).
    Winograd2x5,
}

impl ConvAlgorithm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Direct, Self::Winograd2x3, Self::Winograd4x3, Self::Winograd6x3, Self::Winograd2x5];

    /// Whether it can compute a convolution.
    pub fn suits(self, conv: &Conv) -> bool {
        let [_, kernel, _] = winograd::extents(self);
        self == Self::Direct
            || (conv.kernel == [kernel; 2] && conv.stride == [1, 1] && conv.dilation == [1, 1] && conv.groups == 1)
    }

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Winograd2x3 => "winograd 2×2",
            Self::Winograd4x3 => "winograd 4×4",
            Self::Winograd6x3 => "winograd 6×6",
            Self::Winograd2x5 => "winograd 2×2 of 5×5",
        }
    }
}

/// What the predictions count with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// Multiply-adds of vectors of sixteen numbers in a nanosecond, all threads together.
    pub multiply_adds: f64,
    /// Bytes that come from memory in a nanosecond.
    pub bytes: f64,
}

impl Machine {
    /// Two cores with AVX-512 and ordinary memory. Choices are made for it everywhere, so that results do not depend on
    /// the machine.
    pub const USUAL: Self = Self { multiply_adds: 14.0, bytes: 30.0 };
}

/// Nanoseconds that an algorithm takes for a convolution of `batch` images with outputs of this size.
pub fn cost(algorithm: ConvAlgorithm, conv: &Conv, size: [usize; 2], batch: usize, machine: Machine) -> f64 {
    let bundles = conv.bundles();
    let taps = (conv.kernel[0] * conv.kernel[1]) as f64;
    let in_blocks = (bundles.count * bundles.ins.div_ceil(LANES)) as f64;
    let out_blocks = (bundles.count * bundles.outs.div_ceil(LANES)) as f64;
    let pairs = bundles.ins as f64 * out_blocks;
    match algorithm {
        ConvAlgorithm::Direct => {
            let pixels = (batch * size[0] * size[1]) as f64;
            let compute = pixels * (1.05 * taps * pairs + 2.0 * out_blocks + in_blocks) / machine.multiply_adds;
            compute.max(4.0 * taps * pairs * LANES as f64 / machine.bytes)
        }
        _ => {
            let [outputs, _, inputs] = winograd::extents(algorithm);
            let [outputs, inputs] = [outputs as f64, inputs as f64];
            let tiles = (batch * size[0].div_ceil(outputs as usize) * size[1].div_ceil(outputs as usize)) as f64;
            let planes = inputs * inputs;
            let products = planes * tiles * (1.1 * pairs + 3.0 * out_blocks);
            // Loads, stores and additions of a transform, counted as multiply-adds.
            let transforms = tiles * planes * (8.0 * in_blocks + 8.0 * out_blocks);
            let compute = (products + transforms) / machine.multiply_adds;
            compute.max(4.0 * planes * pairs * LANES as f64 / machine.bytes) + 2000.0
        }
    }
}
