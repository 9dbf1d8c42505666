//! What the algorithms of a convolution are likely to cost; `choice` compares them.

use super::problem::{Pass, Problem};
use crate::simd::LANES;

/// What a convolution costs, counted in multiply-adds of a vector of `f32`: the products; the work for each block of
/// channels read or written; and what is done once for each weight, which is bound by memory. Fitted to times on CPUs with
/// AVX-512, those of `bf16` with AVX512_BF16.
pub(super) struct Costs {
    /// How many times as much as a candidate the direct computation must cost.
    pub(super) gain: f64,
    /// Directly: a product of a correlation, and a block of a pixel.
    product: f64,
    block: f64,
    /// The same of a gradient of the weights, and what each tap of a vector of weights costs.
    sum: f64,
    sum_block: f64,
    sum_tap: f64,
    /// By Winograd's algorithm: a product of a correlation, and a block of a tile.
    winograd_product: f64,
    winograd_block: f64,
    /// The same of a gradient of the weights.
    winograd_sum: f64,
    winograd_sum_block: f64,
}

pub(super) const OF_F32: Costs = Costs {
    gain: 1.1,
    product: 1.09,
    block: 25.0,
    sum: 1.0,
    sum_block: 18.0,
    sum_tap: 72.0,
    winograd_product: 1.15,
    winograd_block: 620.0,
    winograd_sum: 1.4,
    winograd_sum_block: 640.0,
};

/// Transforms cost what they do in `f32`, but for the memory their results take.
pub(super) const OF_BF16: Costs = Costs {
    gain: 1.05,
    product: 0.55,
    block: 25.0,
    sum: 0.5,
    sum_block: 34.0,
    sum_tap: 120.0,
    winograd_product: 0.58,
    winograd_block: 480.0,
    winograd_sum: 1.05,
    winograd_sum_block: 640.0,
};

/// What each tap of a vector of weights costs before the products of a correlation.
const PREPARED: f64 = 100.0;

/// What each tap of a vector of weights costs after Winograd's sums of a gradient.
const FINISHED: f64 = 100.0;

/// What the direct computation costs.
pub(super) fn direct_cost(problem: &Problem<'_>, costs: &Costs) -> f64 {
    let taps = (problem.taps[0] * problem.taps[1]) as f64;
    let (pixels, pairs, blocks) = (problem.tiles(1), problem.pairs(), problem.blocks());
    match problem.pass {
        Pass::Correlation => pixels * (costs.product * taps * pairs + costs.block * blocks) + PREPARED * taps * pairs,
        Pass::Weights => match taps == (problem.conv.kernel[0] * problem.conv.kernel[1]) as f64 {
            true => pixels * (costs.sum * taps * pairs + costs.sum_block * blocks) + costs.sum_tap * taps * pairs,
            // Taps that are left out make it cheaper than anything else.
            false => 0.0,
        },
    }
}

/// A Winograd algorithm's outputs and taps along an axis.
pub(super) struct Tile {
    pub(super) outputs: usize,
    pub(super) kernel: usize,
}

/// What a Winograd algorithm costs.
pub(super) fn winograd_cost(problem: &Problem<'_>, Tile { outputs, kernel }: Tile, costs: &Costs) -> f64 {
    let taps = (kernel * kernel) as f64;
    let (tiles, pairs, blocks) = (problem.tiles(outputs), problem.pairs(), problem.blocks());
    let planes = 36.0;
    match problem.pass {
        Pass::Correlation => {
            let outs = problem.channels[1].div_ceil(LANES) as f64;
            tiles
                * (planes * outs * (costs.winograd_product * problem.channels[0] as f64 + 6.0)
                    + costs.winograd_block * blocks)
                + PREPARED * taps * pairs
        }
        Pass::Weights => {
            tiles * (costs.winograd_sum * planes * pairs + costs.winograd_sum_block * blocks) + FINISHED * taps * pairs
        }
    }
}
