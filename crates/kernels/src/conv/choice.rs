//! Which algorithm computes a convolution: the one file where that is decided.
//!
//! Shapes alone decide: never the instruction set nor the number of threads, so that the same problem is computed in the
//! same way everywhere. A new algorithm is a line of [`CANDIDATES`], a [`Method`], and its run in `conv/mod.rs` and
//! `conv/backward_weights.rs`.

use super::correlation::Correlation;
use super::cost::{Costs, OF_BF16, OF_F32, Tile, direct_cost, winograd_cost};
use super::few;
use super::problem::Problem;
use super::shape::Conv;
use super::sweep::Axis;
use super::tile::SHORT;
use crate::element::Element;

/// How a convolution and its gradients are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Whichever is likely to be faster for the shapes, whatever the number of threads. For `f64`, which is there to
    /// check against, always [`Algorithm::Direct`].
    #[default]
    Auto,
    /// As it is defined, for all convolutions.
    Direct,
    /// By Winograd's algorithm F(4x4, 3x3) or F(2x2, 5x5), for kernels of 3x3 and 5x5 with neither stride, dilation nor
    /// groups. Rounding errors are about twice as large, and an input that is not finite spoils a tile of 4x4 or 2x2
    /// outputs, or all taps of the gradient of the weights of its channel.
    Winograd,
    /// Products of `bf16` and sums of `f32`, by whichever algorithm is then likely to be faster. `f64` is computed as by
    /// [`Algorithm::Auto`], and so are groups that share a block of sixteen channels. It is fast where
    /// [`bf16_available`](crate::narrow::bf16_available) says so, and plain Rust elsewhere.
    Bf16,
    /// [`Algorithm::Direct`] with products of `bf16`. Groups that share a block of sixteen channels are multiplied as they
    /// are.
    DirectBf16,
    /// [`Algorithm::Winograd`] with products of `bf16`: transformed numbers are rounded, which costs about four times the
    /// error of rounding numbers as they are.
    WinogradBf16,
}

/// What computes a convolution or a gradient of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Winograd's F(4x4, 3x3).
    Winograd3x3,
    /// Winograd's F(2x2, 5x5).
    Winograd5x5,
    /// As it is defined.
    Direct,
}

/// What computes a convolution over `batch` inputs of a size forward, the gradient of its input and that of its weights.
pub(super) fn chosen<T: Element>(
    algorithm: Algorithm,
    conv: &Conv,
    batch: usize,
    [input, output]: [[usize; 2]; 2],
) -> [(Method, bool); 3] {
    let axes = [0, 1].map(|i| Axis::forward(conv, i, input[i], output[i]));
    [
        choose::<T>(algorithm, &Problem::correlation(&Correlation::forward(conv, input, output), batch)),
        choose::<T>(algorithm, &Problem::correlation(&Correlation::backward(conv, input, output), batch)),
        choose::<T>(algorithm, &Problem::weights(conv, &axes, batch)),
    ]
}

/// An algorithm that may take the place of the direct one.
struct Candidate {
    method: Method,
    /// Whether it can compute it.
    suits: fn(&Problem<'_>) -> bool,
    /// What it costs.
    cost: fn(&Problem<'_>, &Costs) -> f64,
}

/// In this order; the first that suits and pays is taken, else [`Method::Direct`].
const CANDIDATES: [Candidate; 2] = [
    Candidate {
        method: Method::Winograd3x3,
        suits: |problem| suits_winograd(problem.conv, 3),
        cost: |problem, costs| winograd_cost(problem, Tile { outputs: 4, kernel: 3 }, costs),
    },
    Candidate {
        method: Method::Winograd5x5,
        suits: |problem| suits_winograd(problem.conv, 5),
        cost: |problem, costs| winograd_cost(problem, Tile { outputs: 2, kernel: 5 }, costs),
    },
];

/// The method for a problem, and whether it multiplies pairs of `bf16`.
///
/// # Panics
///
/// Where the algorithm asked for does not suit the convolution.
pub(super) fn choose<T: Element>(algorithm: Algorithm, problem: &Problem<'_>) -> (Method, bool) {
    let mut candidates = CANDIDATES.iter().filter(|candidate| (candidate.suits)(problem));
    let narrow = matches!(algorithm, Algorithm::Bf16 | Algorithm::DirectBf16 | Algorithm::WinogradBf16)
        && T::WINOGRAD
        && problem.has_pairs();
    let method = match algorithm {
        Algorithm::Direct | Algorithm::DirectBf16 => Method::Direct,
        Algorithm::Winograd | Algorithm::WinogradBf16 => match candidates.next() {
            Some(candidate) => candidate.method,
            None => panic!("no Winograd algorithm for {:?}", problem.conv),
        },
        Algorithm::Auto | Algorithm::Bf16 if !T::WINOGRAD => Method::Direct,
        Algorithm::Auto | Algorithm::Bf16 => {
            let costs = if narrow { &OF_BF16 } else { &OF_F32 };
            let pays =
                |candidate: &&Candidate| costs.gain * (candidate.cost)(problem, costs) < direct_cost(problem, costs);
            candidates.find(pays).map_or(Method::Direct, |candidate| candidate.method)
        }
    };
    (method, narrow)
}

fn suits_winograd(conv: &Conv, kernel: usize) -> bool {
    conv.kernel == [kernel; 2] && conv.stride == [1, 1] && conv.dilation == [1, 1] && conv.groups == 1
}

/// Whether the direct computation packs the pixels of its tiles closer: there is one block, of few channels, whose
/// groups are computed together, and its rows lie one behind the other.
pub(super) fn packs_pixels(correlation: &Correlation<'_>) -> bool {
    let (bundles, [_, outs]) = (correlation.bundles, of_group(correlation));
    outs >= bundles.outs && bundles.count == 1 && bundles.ins <= few::STEP && correlation.axes[1].count() >= SHORT
}

/// What a multiply-add costs that reads its own vector, in ones with a broadcast: measured with AVX2.
const OWN_VECTOR: usize = 3;

/// Whether groups that share a block are computed lane by lane, and not with zeros between them.
pub(super) fn goes_by_lanes(correlation: &Correlation<'_>) -> bool {
    OWN_VECTOR * of_group(correlation)[0] <= correlation.bundles.ins
}

/// Channels read and written of a group.
pub(super) fn of_group(correlation: &Correlation<'_>) -> [usize; 2] {
    let conv = correlation.conv;
    let [ins, outs] = [conv.in_channels, conv.out_channels].map(|channels| channels / conv.groups);
    if correlation.backward { [outs, ins] } else { [ins, outs] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Heights and widths of the maps of [`CHOICES`].
    const SIZES: [usize; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 28, 56, 224];

    /// Kernel, channels, batch, and what is chosen for each size, forward, for the gradient of the input and for that of
    /// the weights: Winograd's algorithm or the direct one.
    #[rustfmt::skip]
    const CHOICES: [(usize, [usize; 2], usize, [&str; 3]); 60] = [
        (3, [1, 6], 1, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (3, [1, 6], 8, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (3, [1, 6], 64, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (3, [3, 64], 1, ["ddddddddddddd", "ddddddWWWWWWW", "ddddddddddddd"]),
        (3, [3, 64], 8, ["ddddddddddddd", "dddWdWWWWWWWW", "ddddddddddddd"]),
        (3, [3, 64], 64, ["ddddddddddddd", "ddWWdWWWWWWWW", "ddddddddddddd"]),
        (3, [6, 16], 1, ["ddddddddddddd", "dddddddWdWWWW", "ddddddddddddd"]),
        (3, [6, 16], 8, ["ddddddddddddd", "dddWddWWdWWWW", "ddddddddddddd"]),
        (3, [6, 16], 64, ["ddddddddddddd", "dddWddWWdWWWW", "ddddddddddddd"]),
        (3, [16, 16], 1, ["dddddddWdWWWW", "dddddddWdWWWW", "ddddddddddWWW"]),
        (3, [16, 16], 8, ["dddWddWWdWWWW", "dddWddWWdWWWW", "dddddddWddWWW"]),
        (3, [16, 16], 64, ["dddWddWWdWWWW", "dddWddWWdWWWW", "dddWdddWddWWW"]),
        (3, [16, 64], 1, ["ddddddWWWWWWW", "ddddddWWWWWWW", "ddddddddddWWW"]),
        (3, [16, 64], 8, ["dddWddWWWWWWW", "dddWdWWWWWWWW", "dddWddWWdWWWW"]),
        (3, [16, 64], 64, ["dddWddWWWWWWW", "ddWWdWWWWWWWW", "dddWddWWdWWWW"]),
        (3, [64, 64], 1, ["dddWdWWWWWWWW", "dddWdWWWWWWWW", "ddddddddWWWWW"]),
        (3, [64, 64], 8, ["ddWWdWWWWWWWW", "ddWWdWWWWWWWW", "dddWddWWWWWWW"]),
        (3, [64, 64], 64, ["ddWWdWWWWWWWW", "ddWWdWWWWWWWW", "ddWWdWWWWWWWW"]),
        (3, [64, 16], 1, ["ddddddWWWWWWW", "ddddddWWWWWWW", "ddddddddddWWW"]),
        (3, [64, 16], 8, ["dddWdWWWWWWWW", "dddWddWWWWWWW", "dddWddWWdWWWW"]),
        (3, [64, 16], 64, ["ddWWdWWWWWWWW", "dddWddWWWWWWW", "dddWddWWdWWWW"]),
        (3, [128, 32], 1, ["dddWdWWWWWWWW", "dddWddWWWWWWW", "dddddddddWWWW"]),
        (3, [128, 32], 8, ["ddWWdWWWWWWWW", "ddWWdWWWWWWWW", "dddWddWWWWWWW"]),
        (3, [128, 32], 64, ["ddWWdWWWWWWWW", "ddWWdWWWWWWWW", "dddWdWWWWWWWW"]),
        (3, [192, 384], 1, ["dddWdWWWWWWWW", "dddWdWWWWWWWW", "ddddddddWWWWW"]),
        (3, [192, 384], 8, ["ddWWWWWWWWWWW", "ddWWWWWWWWWWW", "dddWdWWWWWWWW"]),
        (3, [192, 384], 64, ["ddWWWWWWWWWWW", "ddWWWWWWWWWWW", "ddWWdWWWWWWWW"]),
        (3, [512, 512], 1, ["dddWdWWWWWWWW", "dddWdWWWWWWWW", "dddddddWWWWWW"]),
        (3, [512, 512], 8, ["ddWWWWWWWWWWW", "ddWWWWWWWWWWW", "dddWdWWWWWWWW"]),
        (3, [512, 512], 64, ["ddWWWWWWWWWWW", "ddWWWWWWWWWWW", "ddWWdWWWWWWWW"]),
        (5, [1, 6], 1, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [1, 6], 8, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [1, 6], 64, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [3, 64], 1, ["ddddddddddddd", "dddddddddWWWW", "ddddddddddddd"]),
        (5, [3, 64], 8, ["ddddddddddddd", "dddWdWdWdWWWW", "ddddddddddddd"]),
        (5, [3, 64], 64, ["ddddddddddddd", "dddWdWdWdWWWW", "ddddddddddddd"]),
        (5, [6, 16], 1, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [6, 16], 8, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [6, 16], 64, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [16, 16], 1, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [16, 16], 8, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [16, 16], 64, ["ddddddddddddd", "ddddddddddddd", "ddddddddddddd"]),
        (5, [16, 64], 1, ["ddddddddddWWW", "dddddddddWWWW", "ddddddddddddd"]),
        (5, [16, 64], 8, ["dddddddWdWWWW", "dddWdWdWdWWWW", "ddddddddddddd"]),
        (5, [16, 64], 64, ["dddWdWdWdWWWW", "dddWdWdWdWWWW", "ddddddddddddd"]),
        (5, [64, 64], 1, ["dddddWdWWWWWW", "dddddWdWWWWWW", "dddddddddWWWW"]),
        (5, [64, 64], 8, ["dddWWWWWWWWWW", "dddWWWWWWWWWW", "dddddWdWWWWWW"]),
        (5, [64, 64], 64, ["dddWWWWWWWWWW", "dddWWWWWWWWWW", "dddWdWdWWWWWW"]),
        (5, [64, 16], 1, ["dddddddddWWWW", "ddddddddddWWW", "ddddddddddddd"]),
        (5, [64, 16], 8, ["dddWdWdWdWWWW", "dddddddWdWWWW", "ddddddddddddd"]),
        (5, [64, 16], 64, ["dddWdWdWdWWWW", "dddWdWdWdWWWW", "ddddddddddddd"]),
        (5, [128, 32], 1, ["dddddWdWWWWWW", "dddddWdWWWWWW", "dddddddddWWWW"]),
        (5, [128, 32], 8, ["dddWWWWWWWWWW", "dddWdWWWWWWWW", "dddddWdWWWWWW"]),
        (5, [128, 32], 64, ["dddWWWWWWWWWW", "dddWdWWWWWWWW", "dddWdWdWWWWWW"]),
        (5, [192, 384], 1, ["dddddWWWWWWWW", "dddddWWWWWWWW", "ddddddddWWWWW"]),
        (5, [192, 384], 8, ["ddWWWWWWWWWWW", "ddWWWWWWWWWWW", "dddWdWWWWWWWW"]),
        (5, [192, 384], 64, ["ddWWWWWWWWWWW", "ddWWWWWWWWWWW", "dddWWWWWWWWWW"]),
        (5, [512, 512], 1, ["dddddWWWWWWWW", "dddddWWWWWWWW", "ddddddddWWWWW"]),
        (5, [512, 512], 8, ["ddWWWWWWWWWWW", "ddWWWWWWWWWWW", "dddWdWWWWWWWW"]),
        (5, [512, 512], 64, ["ddWWWWWWWWWWW", "ddWWWWWWWWWWW", "dddWWWWWWWWWW"]),
    ];

    fn same(kernel: usize, [in_channels, out_channels]: [usize; 2]) -> Conv {
        let padding = [kernel / 2; 2];
        let (kernel, one) = ([kernel; 2], [1, 1]);
        Conv { in_channels, out_channels, groups: 1, kernel, stride: one, padding, dilation: one }
    }

    /// The methods of the three passes.
    fn chosen<T: Element>(algorithm: Algorithm, conv: &Conv, batch: usize, size: [usize; 2]) -> [Method; 3] {
        let output = conv.output(size).expect("the kernel fits");
        super::chosen::<T>(algorithm, conv, batch, [size, output]).map(|(method, _)| method)
    }

    #[test]
    fn the_choices_are_these() {
        for (kernel, channels, batch, expected) in CHOICES {
            let conv = same(kernel, channels);
            for (number, size) in SIZES.into_iter().enumerate() {
                let chosen = chosen::<f32>(Algorithm::Auto, &conv, batch, [size; 2]);
                for (pass, (expected, chosen)) in expected.iter().zip(chosen).enumerate() {
                    let winograd = if kernel == 3 { Method::Winograd3x3 } else { Method::Winograd5x5 };
                    let expected = if expected.as_bytes()[number] == b'W' { winograd } else { Method::Direct };
                    assert_eq!(chosen, expected, "pass {pass} of {conv:?} with {batch} images of {size}");
                }
            }
        }
    }

    #[test]
    fn bf16_is_multiplied_wherever_pairs_can_be() {
        let chosen = |conv: &Conv, batch: usize, size: usize| {
            let sizes = [[size; 2], conv.output([size; 2]).expect("the kernel fits")];
            super::chosen::<f32>(Algorithm::Bf16, conv, batch, sizes)
        };
        use Method::{Direct, Winograd3x3};
        assert_eq!(chosen(&same(3, [64, 64]), 8, 56), [(Winograd3x3, true); 3]);
        assert_eq!(chosen(&same(3, [512, 512]), 8, 14), [(Winograd3x3, true); 3]);
        assert_eq!(chosen(&same(3, [16, 16]), 64, 32), [(Winograd3x3, true); 3]);
        // A row of tiles would be half padding.
        assert_eq!(chosen(&same(3, [64, 64]), 8, 1), [(Direct, true); 3]);
        assert_eq!(chosen(&same(3, [3, 64]), 8, 224), [(Direct, true), (Winograd3x3, true), (Direct, true)]);
        assert_eq!(chosen(&same(1, [256, 64]), 8, 14), [(Direct, true); 3]);
        assert_eq!(chosen(&Conv { groups: 4, ..same(3, [64, 64]) }, 8, 14), [(Direct, true); 3]);
        // Groups that share a block of channels.
        assert_eq!(chosen(&Conv { groups: 8, ..same(3, [64, 64]) }, 8, 14), [(Direct, false); 3]);
        let sizes = [[56; 2]; 2];
        assert_eq!(super::chosen::<f64>(Algorithm::Bf16, &same(3, [64, 64]), 8, sizes), [(Direct, false); 3]);
    }

    #[test]
    fn what_is_checked_against_is_direct_and_what_does_not_suit_too() {
        let conv = same(3, [64, 64]);
        assert_eq!(chosen::<f64>(Algorithm::Auto, &conv, 8, [56; 2]), [Method::Direct; 3]);
        assert_eq!(chosen::<f32>(Algorithm::Direct, &conv, 8, [56; 2]), [Method::Direct; 3]);
        assert_eq!(chosen::<f32>(Algorithm::Winograd, &conv, 1, [1; 2]), [Method::Winograd3x3; 3]);
        assert_eq!(chosen::<f32>(Algorithm::Auto, &conv, 8, [56; 2]), [Method::Winograd3x3; 3]);
        for unsuited in [
            Conv { groups: 2, ..conv },
            Conv { stride: [1, 2], ..conv },
            Conv { dilation: [2, 1], ..conv },
            Conv { kernel: [3, 5], ..conv },
            Conv { kernel: [1, 1], ..conv },
            Conv { kernel: [7, 7], ..conv },
        ] {
            assert_eq!(chosen::<f32>(Algorithm::Auto, &unsuited, 8, [56; 2]), [Method::Direct; 3], "{unsuited:?}");
            let forced = || chosen::<f32>(Algorithm::Winograd, &unsuited, 8, [56; 2]);
            assert!(std::panic::catch_unwind(forced).is_err(), "{unsuited:?}");
        }
    }

    #[test]
    fn tiles_of_the_direct_computation() {
        let ways = |conv: &Conv, size: usize| {
            let output = conv.output([size; 2]).expect("the kernel fits");
            let forward = Correlation::forward(conv, [size; 2], output);
            [conv.is_matrix_product(), packs_pixels(&forward), goes_by_lanes(&forward)]
        };
        assert_eq!(ways(&same(1, [256, 64]), 14), [true, false, false]);
        assert_eq!(ways(&Conv { stride: [2, 2], ..same(1, [256, 64]) }, 14), [false; 3]);
        assert_eq!(ways(&same(7, [3, 64]), 224), [false, true, false]);
        assert_eq!(ways(&same(7, [3, 64]), 6), [false; 3]);
        // Depthwise, and groups of four and of eight channels.
        assert_eq!(ways(&Conv { groups: 64, ..same(3, [64, 64]) }, 14), [false, false, true]);
        assert_eq!(ways(&Conv { groups: 16, ..same(3, [64, 64]) }, 14), [false, false, true]);
        assert_eq!(ways(&Conv { groups: 8, ..same(3, [64, 64]) }, 14), [false; 3]);
    }
}
