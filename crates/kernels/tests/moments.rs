//! Mean and variance of numbers far from zero, and what batch normalisation's way back sums up, against plain loops over
//! `f64`.

use crate::common::{Maps, index, lay, on_threads};
use cnn_kernels::copy::copy;
use cnn_kernels::moments::moments;
use cnn_kernels::{
    Algorithm, Arrival, Conv, Element, InstructionSet, LANES, Linear, Moments, Pull, Region, Sink, Store, Sums, View,
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// About normal, with mean 0 and variance 1.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random_range(-0.5..0.5)).sum()
}

/// Sixteen channels that are hard to take the mean of.
fn hard(rng: &mut ChaCha8Rng, [batch, height, width]: [usize; 3]) -> Maps {
    let mut maps = Maps::zeros([batch, LANES, height, width]);
    for p in maps.each() {
        let first = [p[0], p[2], p[3]] == [0; 3];
        let x = match p[1] {
            0 => 100.1,
            1 => 1000.1,
            2 => 1e5 + normal(rng),
            3 => 1_000_030.0 + normal(rng),
            4 => normal(rng),
            5 => normal(rng) + if first { 1e4 } else { 0.0 },
            6 => 1e5 + 1e-2 * (p[3] % 2) as f64,
            _ => 0.0,
        };
        maps.set(p, x);
    }
    maps
}

/// Holds moments against those of what lies in memory.
fn hold<T: Element>(what: &str, found: &Moments, data: &[T], region: &Region) {
    let count = (region.batch * region.pixels()) as f64;
    for channel in 0..region.channels {
        let each = Maps::zeros([region.batch, 1, region.height, region.width]).each();
        let values: Vec<f64> = each.map(|p| data[index(region, [p[0], channel, p[2], p[3]])].to_f64()).collect();
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let off = (found.mean[channel] - mean).abs();
        assert!(off <= 1e-5 * variance.sqrt() + 1e-12 * mean.abs(), "{what} of channel {channel}: mean {off} off");
        let off = (found.variance[channel] - variance).abs();
        // The sum above is rounded too.
        assert!(
            off <= 1e-4 * variance + 1e-18 * mean * mean,
            "{what} of channel {channel}: variance {off} off {variance}"
        );
    }
}

/// Stores what a kernel gives on one thread and on two, and holds its moments against what was stored.
fn stored<T: Element>(what: &str, region: Region, kernel: impl Fn(Sink<'_, T>)) {
    // What an earlier call left is replaced.
    let mut found = Moments { mean: vec![7.0; 3], variance: vec![7.0; 3] };
    let mut before = None;
    for width in [1, 2] {
        let _threads = on_threads(width);
        let mut data = vec![T::NAN; region.len()];
        kernel(Sink::Store(Store { moments: Some(&mut found), ..Store::plain(&mut data, region) }));
        assert_eq!([found.mean.len(), found.variance.len()], [region.channels; 2], "{what}");
        hold(what, &found, &data, &region);
        let bits: Vec<u64> = found.mean.iter().chain(&found.variance).map(|x| x.to_bits()).collect();
        assert_eq!(before.get_or_insert_with(|| bits.clone()), &bits, "{what}: with {width} threads");
    }
}

fn far_from_zero<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let maps = hard(rng, [2, 32, 32]);
    let region = Region::new(2, LANES, [32, 32]);
    let data: Vec<T> = lay(&region, &maps);
    let view = View::plain(&data, region);
    hold("in a pass of its own", &moments(set, &view), &data, &region);
    stored("a copy", region, |sink| copy(set, &view, sink));
    for (kernel, algorithm) in [(1, Algorithm::Direct), (3, Algorithm::Direct), (3, Algorithm::Winograd)] {
        let (one, padding) = ([1, 1], [kernel / 2; 2]);
        let (channels, kernel) = (LANES, [kernel; 2]);
        let conv = Conv {
            in_channels: channels,
            out_channels: channels,
            groups: 1,
            kernel,
            stride: one,
            padding,
            dilation: one,
        };
        let taps = kernel[0] * kernel[1];
        let mut weights = vec![T::ZERO; conv.weights()];
        (0..channels).for_each(|channel| weights[(channel * channels + channel) * taps + taps / 2] = T::ONE);
        let what = format!("{set} {algorithm:?} {kernel:?}");
        stored(&what, region, |sink| conv.forward_by(algorithm, set, &view, &weights, sink));
    }
    let vectors = Region::new(100, LANES, [1, 1]);
    let data: Vec<T> = lay(&vectors, &hard(rng, [100, 1, 1]));
    let linear = Linear { in_features: LANES, out_features: LANES };
    let mut weights = vec![T::ZERO; linear.weights()];
    (0..LANES).for_each(|channel| weights[channel * (LANES + 1)] = T::ONE);
    stored("a layer", vectors, |sink| linear.forward(set, &View::plain(&data, vectors), &weights, sink));
}

#[test]
fn moments_are_right_far_from_zero() {
    on_all!(2, far_from_zero);
}

fn sums<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let region = Region::new(1, 3, [16, 16]);
    let mut seen = Maps::zeros([1, 3, 16, 16]);
    seen.each().for_each(|p| seen.set(p, 1_000_030.0 + f64::from(rng.random_range(-16_i8..=16)) / 16.0));
    let gradient = Maps { data: (0..768).map(|_| rng.random_range(0..8) as f64 / 8.0).collect(), ..seen.clone() };
    let (z, g): (Vec<T>, Vec<T>) = (lay(&region, &seen), lay(&region, &gradient));
    // No number of 32 bits.
    let centre = vec![1_000_030.03; 3];
    let mut sums = Sums { centre: centre.clone(), gradient: vec![7.0], product: vec![7.0] };
    let mut data = vec![T::ZERO; region.len()];
    let through = Some(View::plain(&z, region));
    let pull =
        Pull { data: &mut data, region, arrival: Arrival::Replace, factor: None, through, sums: Some(&mut sums) };
    copy(set, &View::plain(&g, region), Sink::Pull(pull));
    let mut expected = [vec![0.0; 3], vec![0.0; 3]];
    for p in seen.each() {
        expected[0][p[1]] += gradient.at(p);
        expected[1][p[1]] += gradient.at(p) * (seen.at(p) - centre[p[1]]);
    }
    let close = |found: &[f64], expected: &[f64]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3);
    assert!(close(&sums.gradient, &expected[0]), "{set}: {:?}, not {:?}", sums.gradient, expected[0]);
    assert!(close(&sums.product, &expected[1]), "{set}: {:?}, not {:?}", sums.product, expected[1]);
    assert_eq!([sums.gradient.len(), sums.product.len()], [3; 2]);
}

#[test]
fn gradients_are_summed_about_the_centre_itself() {
    on_all!(2, sums);
}
