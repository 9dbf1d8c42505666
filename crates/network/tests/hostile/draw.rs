//! Random definitions: of the constructions networks are made of, now and then with an extreme number.

use cnn_network::Op;
use cnn_network::definition::*;
use cnn_network::initialisation::Law;
use cnn_network::op::{AvgPool, Conv, Lrn};
use cnn_network::seed::Rng;
use cnn_network::shape::{Pair, Window};
use rand::Rng as _;
use rand::seq::IndexedRandom;

/// Definitions that a law tries; about one in three is a network.
pub const TRIED: usize = 20_000;

/// A number that definitions have, or one that they should not.
fn count(rng: &mut Rng) -> usize {
    let small = [0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 7];
    let extreme =
        [8, 64, 255, 4096, 65_536, 65_537, 1 << 24, (1 << 24) + 1, 1 << 31, 1 << 32, 1 << 62, 1 << 63, usize::MAX];
    if rng.random_bool(0.93) {
        small[rng.random_range(0..small.len())]
    } else {
        extreme[rng.random_range(0..extreme.len())]
    }
}

fn number(rng: &mut Rng) -> f64 {
    let usual = [0.0, 0.1, 0.25, 0.5, 1.0, 2.0];
    let extreme = [-0.0, -1.0, 1e-320, 1e38, 1e39, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    *if rng.random_bool(0.95) { usual.choose(rng) } else { extreme.choose(rng) }.unwrap_or(&0.0)
}

fn pair(rng: &mut Rng) -> Pair {
    if rng.random_bool(0.7) { count(rng).into() } else { [count(rng), count(rng)].into() }
}

fn law(rng: &mut Rng) -> Law {
    match rng.random_range(0..6) {
        0 => Law::Constant(number(rng)),
        1 => Law::Normal(number(rng)),
        2 => Law::TruncatedNormal(number(rng)),
        3 => Law::LeCun,
        4 => Law::KaimingFanOut,
        _ => Law::Xavier,
    }
}

fn window(rng: &mut Rng) -> Window {
    let unit = |rng: &mut Rng| if rng.random_bool(0.8) { 1.into() } else { pair(rng) };
    let padding = if rng.random_bool(0.5) { 0.into() } else { pair(rng) };
    Window { kernel: pair(rng), stride: unit(rng), padding, dilation: unit(rng), ceil: rng.random_bool(0.1) }
}

fn convolution(rng: &mut Rng) -> Conv {
    let mut conv = Conv { window: window(rng), bias: rng.random_bool(0.5), ..conv(1) };
    match rng.random_range(0..8) {
        0 => conv = conv.depthwise_by(count(rng)),
        1 => conv = conv.groups(count(rng)),
        2 => {
            let row = |rng: &mut Rng| (0..rng.random_range(0..4)).filter(|_| rng.random_bool(0.8)).collect();
            let rows = (0..rng.random_range(0..4)).map(|_| row(rng)).collect();
            conv = conv.connections(rows);
            conv.out_channels = conv.out_channels.filter(|_| rng.random_bool(0.8));
        }
        _ => {}
    }
    if rng.random_bool(0.5) {
        conv = conv.out(count(rng));
    }
    if rng.random_bool(0.2) { conv.weights(law(rng)).biases(law(rng)) } else { conv }
}

/// A block in which others stand `depth` deep.
pub fn block(rng: &mut Rng, depth: usize) -> Block {
    let branches = |rng: &mut Rng, join: fn() -> Branches| {
        (0..rng.random_range(0..4)).fold(join(), |branches, _| branches.branch(block(rng, depth - 1)))
    };
    match rng.random_range(0..if depth > 0 { 22 } else { 17 }) {
        0 | 1 => convolution(rng).into(),
        2 => Op::MaxPool(window(rng)).into(),
        3 => Op::AvgPool(AvgPool { window: window(rng), count_padding: rng.random_bool(0.5) }).into(),
        4 => adaptive_avg_pool(pair(rng)).into(),
        5 => batch_norm().eps(number(rng)).momentum(number(rng)).into(),
        6 => Lrn { size: count(rng), alpha: number(rng), beta: number(rng), k: number(rng) }.into(),
        7 => [Op::Relu, Op::Sigmoid, Op::Softmax, Op::Flatten, Op::Input][rng.random_range(0..5)].clone().into(),
        8 => tanh(number(rng), number(rng)).into(),
        9 => dropout(number(rng)).into(),
        10 => scale(number(rng)).into(),
        11 => zero_channels(count(rng), count(rng)).into(),
        12 => channel_affine(number(rng)).into(),
        13 => {
            let constants: Vec<f64> = (0..rng.random_range(1..4)).map(|_| number(rng)).collect();
            input_affine(&constants, &constants).into()
        }
        14 => chain().flatten().and(linear(count(rng)).weights(law(rng))).into(),
        15 => {
            let centre = |rng: &mut Rng| (0..rng.random_range(1..5)).map(|_| number(rng)).collect();
            chain().flatten().and(radial_basis(vec![centre(rng), centre(rng)])).into()
        }
        16 => max_pool(pair(rng)).pad(pair(rng)).into(),
        17 | 18 => (0..rng.random_range(0..4)).fold(chain(), |chain, _| chain.and(block(rng, depth - 1))).into(),
        19 => branches(rng, sum).into(),
        20 => branches(rng, concat).into(),
        _ => chain().tap("head", number(rng), block(rng, depth - 1)).into(),
    }
}

/// An input `[C, H, W]`.
pub fn input(rng: &mut Rng) -> [usize; 3] {
    if rng.random_bool(0.9) {
        [1, 1, 1].map(|n: usize| n + rng.random_range(0..9))
    } else {
        [count(rng), count(rng), count(rng)]
    }
}
