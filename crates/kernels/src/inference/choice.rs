//! Which algorithm computes a convolution of a program: the one file where that is decided.
//!
//! Each algorithm has a predicted time: of its multiply-adds, of its transforms, and of the weights that come from
//! memory, which is most where maps are small. Shapes and the expected batch decide, nothing is measured, so the same
//! network is computed in the same way on every machine.

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
    /// Winograd's F(2×2, 5×5).
    Winograd2x5,
}

impl ConvAlgorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Winograd2x3, Self::Winograd4x3, Self::Winograd2x5];

    /// Whether it can compute a convolution.
    pub fn suits(self, conv: &Conv) -> bool {
        let [_, kernel, _] = winograd::extents(self);
        self == Self::Direct
            || (conv.kernel == [kernel; 2] && conv.stride == [1, 1] && conv.dilation == [1, 1] && conv.groups == 1)
    }

    /// Outputs, taps and inputs of a tile along an axis; zeros of the direct way, which has none.
    pub fn extents(self) -> [usize; 3] {
        if self == Self::Direct { [0; 3] } else { winograd::extents(self) }
    }

    /// The one that is predicted to be the fastest for a convolution of `batch` images with outputs of this size.
    pub fn fastest(products: Products, conv: &Conv, size: [usize; 2], batch: usize) -> Self {
        let cost = |algorithm: &Self| cost((*algorithm, products), conv, size, batch);
        let suits = Self::ALL.into_iter().filter(|algorithm| algorithm.suits(conv));
        suits.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(Self::Direct)
    }

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Winograd2x3 => "winograd 2×2",
            Self::Winograd4x3 => "winograd 4×4",
            Self::Winograd2x5 => "winograd 2×2 of 5×5",
        }
    }
}

/// What the direct way multiplies; Winograd's algorithms multiply `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Products {
    /// Numbers of 32 bits.
    F32,
    /// Numbers of 16 bits, two channels at once.
    Bf16,
}

impl Products {
    /// What a product of the direct way counts, in multiply-adds of `f32`, and bytes of a weight.
    fn cost(self) -> (f64, f64) {
        match self {
            Self::F32 => (1.05, 4.0),
            Self::Bf16 => (0.46, 2.0),
        }
    }
}

/// Multiply-adds of vectors of sixteen numbers in a nanosecond, all threads together: what two cores with AVX-512 do.
/// Predictions are made for them everywhere, so that results do not depend on the machine.
const MULTIPLY_ADDS: f64 = 14.0;
/// Bytes that come from memory in a nanosecond.
const BYTES: f64 = 34.0;

/// Nanoseconds that an algorithm takes for a convolution of `batch` images with outputs of this size, as predicted.
pub fn cost((algorithm, products): (ConvAlgorithm, Products), conv: &Conv, size: [usize; 2], batch: usize) -> f64 {
    let (product, bytes) = products.cost();
    let bundles = conv.bundles();
    let taps = (conv.kernel[0] * conv.kernel[1]) as f64;
    let in_blocks = (bundles.count * bundles.ins.div_ceil(LANES)) as f64;
    let out_blocks = (bundles.count * bundles.outs.div_ceil(LANES)) as f64;
    let pairs = bundles.ins as f64 * out_blocks;
    match algorithm {
        ConvAlgorithm::Direct => {
            let pixels = (batch * size[0] * size[1]) as f64;
            let compute = pixels * (product * taps * pairs + 2.0 * out_blocks + in_blocks) / MULTIPLY_ADDS;
            together(compute, bytes * taps * pairs * LANES as f64 / BYTES)
        }
        _ => {
            let [outputs, _, inputs] = winograd::extents(algorithm);
            let [outputs, inputs] = [outputs as f64, inputs as f64];
            let tiles = (batch * size[0].div_ceil(outputs as usize) * size[1].div_ceil(outputs as usize)) as f64;
            let planes = inputs * inputs;
            let products = planes * tiles * (1.1 * pairs + 3.0 * out_blocks);
            // Loads, stores and additions of a transform, counted as multiply-adds.
            let transforms = tiles * planes * (8.0 * in_blocks + 8.0 * out_blocks);
            let compute = (products + transforms) / MULTIPLY_ADDS;
            together(compute, 4.0 * planes * pairs * LANES as f64 / BYTES) + 2000.0
        }
    }
}

/// The time of computing while weights come from memory: not all of the shorter is hidden behind the longer.
fn together(compute: f64, memory: f64) -> f64 {
    compute.max(memory) + 0.3 * compute.min(memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fastest_of(products: Products, channels: usize, kernel: usize, size: usize, batch: usize) -> ConvAlgorithm {
        let conv = Conv {
            in_channels: channels,
            out_channels: channels,
            groups: 1,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: [kernel / 2; 2],
            dilation: [1; 2],
        };
        ConvAlgorithm::fastest(products, &conv, [size; 2], batch)
    }

    fn fastest(channels: usize, kernel: usize, size: usize, batch: usize) -> ConvAlgorithm {
        fastest_of(Products::F32, channels, kernel, size, batch)
    }

    #[test]
    fn products_of_16_bits_are_faster_where_winograd_saves_little() {
        let fastest = |channels, kernel, size, batch| fastest_of(Products::Bf16, channels, kernel, size, batch);
        assert_eq!(fastest(64, 3, 56, 1), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(256, 3, 14, 8), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(256, 3, 14, 1), ConvAlgorithm::Direct);
        assert_eq!(fastest(512, 3, 7, 1), ConvAlgorithm::Direct);
        assert_eq!(fastest(64, 1, 28, 1), ConvAlgorithm::Direct);
    }

    /// What was measured to be the fastest for the maps of a residual network.
    #[test]
    fn large_maps_have_large_tiles_and_small_ones_little_memory() {
        assert_eq!(fastest(64, 3, 56, 1), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(128, 3, 28, 1), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(256, 3, 14, 1), ConvAlgorithm::Winograd2x3);
        assert_eq!(fastest(256, 3, 14, 8), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(512, 3, 7, 1), ConvAlgorithm::Winograd2x3);
        assert_eq!(fastest(64, 5, 28, 1), ConvAlgorithm::Winograd2x5);
        assert_eq!(fastest(64, 1, 28, 1), ConvAlgorithm::Direct);
    }
}
