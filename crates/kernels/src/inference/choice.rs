//! Which algorithm computes a convolution of a program: the one file where that is decided.
//!
//! Each algorithm has a predicted time: of its multiply-adds, of its transforms, and of the weights that come from
//! memory, which is most where maps are small. Shapes and the expected batch decide, nothing is measured, so the same
//! network is computed in the same way on every machine.

use super::algorithm::{ConvAlgorithm, Filters};
use super::winograd::tile::{Tile, at_once, tiles};
use crate::conv::Conv;
use crate::simd::LANES;

impl ConvAlgorithm {
    /// Whether it can compute a convolution.
    pub fn suits(self, conv: &Conv) -> bool {
        let [down, across] = Tile::of(self).kernel;
        let kernel = conv.kernel == [down, across] || conv.kernel == [across, down];
        self == Self::Direct || (kernel && conv.stride == [1, 1] && conv.dilation == [1, 1] && conv.groups == 1)
    }
}

/// How a convolution is computed: the algorithm, and what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// The algorithm.
    pub algorithm: ConvAlgorithm,
    /// How the filters are packed; of the direct way, which has no other, as transformed.
    pub filters: Filters,
}

impl Choice {
    /// The direct way.
    pub const DIRECT: Self = Self { algorithm: ConvAlgorithm::Direct, filters: Filters::Transformed };
    /// Outputs from which on there are enough panels for some threads.
    const OUTPUTS: usize = 128;

    /// An algorithm for a convolution of `batch` images with outputs of this size, with plain filters where all tiles are few
    /// enough to be multiplied with them at once, so that each is transformed once in a call.
    pub fn of(algorithm: ConvAlgorithm, conv: &Conv, size: [usize; 2], batch: usize) -> Self {
        let few = algorithm != ConvAlgorithm::Direct && at_once(algorithm, conv, size, batch);
        let plain = few && conv.out_channels >= Self::OUTPUTS;
        Self { algorithm, filters: if plain { Filters::Plain } else { Filters::Transformed } }
    }

    /// The one that is predicted to be the fastest for a convolution of `batch` images with outputs of this size.
    pub fn fastest(products: Products, conv: &Conv, size: [usize; 2], batch: usize) -> Self {
        let suits = ConvAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.suits(conv));
        let cost = |algorithm: &ConvAlgorithm| cost((*algorithm, products), conv, size, batch);
        let fastest = suits.min_by(|a, b| cost(a).total_cmp(&cost(b)));
        fastest.map_or(Self::DIRECT, |algorithm| Self::of(algorithm, conv, size, batch))
    }

    /// How many times as many numbers a convolution's weights are as they are packed.
    pub fn growth(self) -> f64 {
        match self {
            Self { algorithm: ConvAlgorithm::Direct, .. } | Self { filters: Filters::Plain, .. } => 1.0,
            Self { algorithm, .. } => {
                let tile = Tile::of(algorithm);
                tile.planes() as f64 / tile.taps() as f64
            }
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
            let tiles = tiles(algorithm, conv, size, batch) as f64;
            let planes = Tile::of(algorithm).planes() as f64;
            // Fewer tiles take as long: filters are loaded for each.
            let products = planes * f64::max(tiles, 7.0) * (1.1 * pairs + 3.0 * out_blocks);
            // Loads, stores and additions of a transform, counted as multiply-adds.
            let transforms = tiles * planes * (8.0 * in_blocks + 8.0 * out_blocks);
            // Plain filters are fewer numbers to read, and to transform in each call.
            let (filters, numbers) = match Choice::of(algorithm, conv, size, batch).filters {
                Filters::Transformed => (0.0, planes),
                Filters::Plain => (3.5 * planes * pairs, taps),
            };
            let compute = (products + transforms + filters) / MULTIPLY_ADDS;
            together(compute, 4.0 * numbers * pairs * LANES as f64 / BYTES) + 2000.0
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

    fn conv(channels: usize, kernel: [usize; 2]) -> Conv {
        Conv {
            in_channels: channels,
            out_channels: channels,
            groups: 1,
            kernel,
            stride: [1; 2],
            padding: kernel.map(|taps| taps / 2),
            dilation: [1; 2],
        }
    }

    fn fastest_of(products: Products, channels: usize, kernel: usize, size: usize, batch: usize) -> ConvAlgorithm {
        Choice::fastest(products, &conv(channels, [kernel; 2]), [size; 2], batch).algorithm
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
    fn each_map_has_its_algorithm() {
        assert_eq!(fastest(64, 3, 56, 1), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(128, 3, 28, 1), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(256, 3, 14, 1), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(256, 3, 14, 8), ConvAlgorithm::Winograd4x3);
        assert_eq!(fastest(512, 3, 7, 1), ConvAlgorithm::Winograd2x3);
        assert_eq!(fastest(64, 5, 28, 1), ConvAlgorithm::Winograd2x5);
        assert_eq!(fastest(64, 1, 28, 1), ConvAlgorithm::Direct);
    }

    #[test]
    fn rows_and_columns_of_taps_have_their_own() {
        let fastest = |kernel| Choice::fastest(Products::F32, &conv(192, kernel), [17, 17], 1).algorithm;
        assert_eq!([[1, 7], [7, 1]].map(fastest), [ConvAlgorithm::WinogradLine4x7; 2]);
        assert_eq!([[1, 3], [3, 1]].map(fastest), [ConvAlgorithm::WinogradLine4x3; 2]);
    }
}
