//! Narrow numbers for tests: random ones, and what they stand for.

use super::{Maps, index, one_of};
use cnn_kernels::narrow::{Finish, Format, Weights, bf16};
use cnn_kernels::{Conv, InstructionSet, Region};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A narrow number, such that sums of some hundred products are exact in 32 bits.
pub trait Number: Format {
    fn value(self) -> f64;
    /// The nearest, to the even one of two.
    fn rounded(x: f32) -> Self;
    fn random(rng: &mut ChaCha8Rng) -> Self;
    fn zero(rng: &mut ChaCha8Rng) -> Self;
    fn random_weight(rng: &mut ChaCha8Rng) -> Self::Weight;
    fn weight_value(weight: Self::Weight) -> f64;
    fn pack(conv: &Conv, set: InstructionSet, weights: &[Self::Weight]) -> Weights<Self>;
    /// Entries of as many channels.
    fn scales(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32>;

    fn maps(rng: &mut ChaCha8Rng, shape: [usize; 4]) -> Maps {
        let data = (0..shape.iter().product()).map(|_| Self::random(rng).value()).collect();
        Maps { shape, data }
    }
}

impl Number for bf16 {
    fn value(self) -> f64 {
        self.to_f64()
    }
    fn rounded(x: f32) -> Self {
        Self::from_f32(x)
    }
    fn random(rng: &mut ChaCha8Rng) -> Self {
        Self::from_f32(f32::from(rng.random_range(-64i8..=64)) / 8.0)
    }
    fn zero(_: &mut ChaCha8Rng) -> Self {
        Self::ZERO
    }
    fn random_weight(rng: &mut ChaCha8Rng) -> Self {
        Self::random(rng)
    }
    fn weight_value(weight: Self) -> f64 {
        weight.to_f64()
    }
    fn pack(conv: &Conv, set: InstructionSet, weights: &[Self]) -> Weights<Self> {
        let weights: Vec<f32> = weights.iter().map(|weight| weight.to_f32()).collect();
        Weights::<Self>::new(conv, set, &weights)
    }
    fn scales(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| rng.random_range(-2.0..2.0)).collect()
    }
}

impl Number for u8 {
    fn value(self) -> f64 {
        f64::from(self)
    }
    fn rounded(x: f32) -> Self {
        x.clamp(0.0, 255.0).round_ties_even() as u8
    }
    fn random(rng: &mut ChaCha8Rng) -> Self {
        // The largest too, whose products 8 bits by 8 do not hold.
        if rng.random_bool(0.3) { 255 } else { rng.random() }
    }
    fn zero(rng: &mut ChaCha8Rng) -> Self {
        if rng.random_bool(0.5) { 0 } else { rng.random() }
    }
    fn random_weight(rng: &mut ChaCha8Rng) -> i8 {
        if rng.random_bool(0.3) { one_of(rng, &[-127, 127]) } else { rng.random_range(-127..=127) }
    }
    fn weight_value(weight: i8) -> f64 {
        f64::from(weight)
    }
    fn pack(conv: &Conv, set: InstructionSet, weights: &[i8]) -> Weights<Self> {
        Weights::<Self>::new(conv, set, weights)
    }
    fn scales(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| rng.random_range(0.0001..0.01)).collect()
    }
}

/// Maps in blocks; what is beside them, in the block too, is anything.
pub fn lay_narrow<F: Number>(rng: &mut ChaCha8Rng, region: &Region, maps: &Maps) -> Vec<F> {
    let mut data: Vec<F> = (0..region.len()).map(|_| F::random(rng)).collect();
    for p in maps.each() {
        data[index(region, p)] = F::rounded(maps.at(p) as f32);
    }
    data
}

/// Scale, shift and floor of a map on the way in.
pub type Entries = (Vec<f32>, Vec<f32>, f32);

pub fn random_map<F: Number>(rng: &mut ChaCha8Rng, region: &Region) -> Entries {
    let entries = |rng: &mut ChaCha8Rng| -> Vec<f32> {
        (0..region.padded_channels()).map(|_| f32::from(rng.random_range(-4i8..=4)) / 4.0).collect()
    };
    (entries(rng), entries(rng), one_of(rng, &[0.0, f32::NAN]))
}

/// What is read through a map.
pub fn mapped<F: Number>(maps: &Maps, map: Option<&Entries>) -> Maps {
    let mut read = maps.clone();
    let Some((scale, shift, floor)) = map else { return read };
    for p in maps.each() {
        let x = maps.at(p) as f32 * scale[p[1]] + shift[p[1]];
        read.set(p, F::rounded(if *floor > x { *floor } else { x }).value());
    }
    read
}

/// What becomes of exact sums, with the numbers that are added.
pub fn finished<F: Number>(sums: &Maps, finish: &Finish<'_, F>, added: &Maps) -> Maps {
    let mut results = sums.clone();
    for p in sums.each() {
        let entry = |entries: Option<&[f32]>, otherwise: f32| entries.map_or(otherwise, |entries| entries[p[1]]);
        let mut x = sums.at(p) as f32 * entry(finish.scale, 1.0) + entry(finish.bias, 0.0);
        if let Some(addend) = &finish.addend {
            x += added.at(p) as f32 * addend.factor;
        }
        let floor = finish.floor.unwrap_or(f32::NEG_INFINITY);
        results.set(p, f64::from(if floor > x { floor } else { x }));
    }
    results
}

/// Holds what was written to both kinds of maps, over `before` and over numbers that are none, against what should be there.
#[track_caller]
pub fn arrived<F: Number>(what: &str, target: &Region, expected: &Maps, [before, narrow]: [&[F]; 2], wide: &[f32]) {
    let [batch, channels, height, width] = expected.shape;
    let mut touched = vec![false; target.len()];
    for p in Maps::zeros([batch, target.padded_channels(), height, width]).each() {
        let i = index(target, p);
        touched[i] = true;
        let should = if p[1] < channels { expected.at(p) as f32 } else { 0.0 };
        assert_eq!(wide[i].to_bits(), should.to_bits(), "{what} at {p:?}: {}, not {should}", wide[i]);
        assert_eq!(narrow[i], F::rounded(should), "{what} at {p:?} of {should}");
    }
    for (i, touched) in touched.into_iter().enumerate() {
        assert!(touched || (narrow[i] == before[i] && wide[i].is_nan()), "{what}: beside its place");
    }
}
