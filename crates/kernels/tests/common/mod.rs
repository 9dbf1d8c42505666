//! Random problems, and what the kernels are held against: plain loops over `f64`.
//!
//! Numbers are multiples of 1/8 and few, so that sums and comparisons come out the same in `f32` and `f64`.

#![allow(dead_code, unused_imports)]

mod fewer;
#[cfg(all(unix, not(miri)))]
pub mod guarded;
pub mod narrow;

pub use fewer::{fewer, some};

use cnn_kernels::{
    Arrival, Conv, Element, InstructionSet, LANES, Map, Moments, Pull, Region, Sink, Store, Sums, View, threads,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The kernels have one pool: who changes it, or must find it idle, waits here for others who do.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number of threads that is set, for as long as this is held.
pub struct Threads(MutexGuard<'static, ()>);

/// Sets the number of threads. Other tests go on beside; what they compute does not depend on it.
pub fn on_threads(count: usize) -> Threads {
    let alone = alone();
    threads::set_threads(count);
    Threads(alone)
}

impl Drop for Threads {
    fn drop(&mut self) {
        threads::set_threads(0);
    }
}

/// What the kernels are tested on: all the CPU has, or the one `CNN_INSTRUCTION_SET` names.
pub fn sets() -> Vec<InstructionSet> {
    match InstructionSet::forced() {
        Ok(Some(set)) => vec![set],
        Ok(None) => InstructionSet::ALL.into_iter().filter(|set| set.available()).collect(),
        Err(problem) => panic!("{problem}"),
    }
}

/// Runs problems on every instruction set in `f32`, and in `f64`.
#[macro_export]
macro_rules! on_all {
    ($count:expr, $problem:ident) => {{
        let count = $crate::common::fewer($count);
        for set in $crate::common::sets() {
            for seed in 0..count {
                $problem::<f32>(set, &mut $crate::common::random(seed));
            }
        }
        for seed in 0..count {
            $problem::<f64>(cnn_kernels::InstructionSet::chosen(), &mut $crate::common::random(seed));
        }
    }};
}

pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// One of some values.
pub fn one_of<X: Copy>(rng: &mut ChaCha8Rng, values: &[X]) -> X {
    values[rng.random_range(0..values.len())]
}

pub fn eighths(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.random_range(-8i8..=8)) / 8.0
}

pub fn many(rng: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| eighths(rng)).collect()
}

pub fn cast<T: Element>(values: &[f64]) -> Vec<T> {
    values.iter().map(|x| T::from_f64(*x)).collect()
}

/// Numbers of channels around the sizes of blocks.
pub fn channels(rng: &mut ChaCha8Rng) -> usize {
    match rng.random_range(0..4) {
        0 => rng.random_range(1..6),
        1 => one_of(rng, &[15, 16, 17, 31, 32, 33, 48]),
        2 => 16 * rng.random_range(1..4),
        _ => rng.random_range(1..50),
    }
}

pub fn batch(rng: &mut ChaCha8Rng) -> usize {
    one_of(rng, &[0, 1, 1, 2, 3, 5])
}

pub fn size(rng: &mut ChaCha8Rng) -> [usize; 2] {
    match rng.random_range(0..12) {
        0 => [0, 3],
        1 => [rng.random_range(1..4), 0],
        2 => [1, 1],
        3 => [rng.random_range(17..24), rng.random_range(14..30)],
        _ => [rng.random_range(1..12), rng.random_range(1..12)],
    }
}

/// A random convolution, and the shapes of its input and output: of these groups and channels, `plain` of 1x1 so often.
pub fn random_convolution(
    rng: &mut ChaCha8Rng,
    plain: f64,
    channels: impl Fn(&mut ChaCha8Rng) -> (usize, usize, usize),
) -> (Conv, [usize; 4], [usize; 4]) {
    loop {
        let pair = |rng: &mut ChaCha8Rng, values: &[usize]| [one_of(rng, values), one_of(rng, values)];
        let (groups, in_channels, out_channels) = channels(rng);
        let plain = rng.random_bool(plain);
        let conv = Conv {
            in_channels,
            out_channels,
            groups,
            kernel: if plain { [1, 1] } else { pair(rng, &[1, 2, 3, 3, 5]) },
            stride: if plain { [1, 1] } else { pair(rng, &[1, 1, 2, 3]) },
            padding: if plain { [0, 0] } else { pair(rng, &[0, 1, 1, 2, 6]) },
            dilation: pair(rng, &[1, 1, 1, 2, 3]),
        };
        let (batch, [height, width]) = (batch(rng), size(rng));
        if let Some([rows, columns]) = conv.output([height, width]) {
            return (conv, [batch, in_channels, height, width], [batch, out_channels, rows, columns]);
        }
    }
}

/// Calls with each pair of an input's and an output's position that meet, and the index of their weight.
pub fn meetings(
    conv: &Conv,
    input: [usize; 4],
    output: [usize; 4],
    mut meet: impl FnMut([usize; 4], [usize; 4], usize),
) {
    let (ins, outs) = (conv.in_channels / conv.groups, conv.out_channels / conv.groups);
    for o in Maps::zeros(output).each() {
        for c in 0..ins {
            for ky in 0..conv.kernel[0] {
                for kx in 0..conv.kernel[1] {
                    let y = (o[2] * conv.stride[0] + ky * conv.dilation[0]).wrapping_sub(conv.padding[0]);
                    let x = (o[3] * conv.stride[1] + kx * conv.dilation[1]).wrapping_sub(conv.padding[1]);
                    if y < input[2] && x < input[3] {
                        let weight = ((o[1] * ins + c) * conv.kernel[0] + ky) * conv.kernel[1] + kx;
                        meet([o[0], o[1] / outs * ins + c, y, x], o, weight);
                    }
                }
            }
        }
    }
}

/// Maps as `(N, C, H, W)`.
#[derive(Clone, Debug)]
pub struct Maps {
    pub shape: [usize; 4],
    pub data: Vec<f64>,
}

impl Maps {
    pub fn zeros(shape: [usize; 4]) -> Self {
        Self { shape, data: vec![0.0; shape.iter().product()] }
    }

    pub fn random(rng: &mut ChaCha8Rng, shape: [usize; 4]) -> Self {
        Self { shape, data: many(rng, shape.iter().product()) }
    }

    fn index(&self, [n, c, y, x]: [usize; 4]) -> usize {
        let [_, channels, height, width] = self.shape;
        ((n * channels + c) * height + y) * width + x
    }

    pub fn at(&self, at: [usize; 4]) -> f64 {
        self.data[self.index(at)]
    }

    pub fn set(&mut self, at: [usize; 4], value: f64) {
        let index = self.index(at);
        self.data[index] = value;
    }

    pub fn add(&mut self, at: [usize; 4], value: f64) {
        let index = self.index(at);
        self.data[index] += value;
    }

    /// All positions.
    pub fn each(&self) -> impl Iterator<Item = [usize; 4]> + use<> {
        let [batch, channels, height, width] = self.shape;
        (0..batch).flat_map(move |n| {
            (0..channels).flat_map(move |c| (0..height).flat_map(move |y| (0..width).map(move |x| [n, c, y, x])))
        })
    }

    pub fn pixels(&self) -> usize {
        self.shape[0] * self.shape[2] * self.shape[3]
    }
}

/// Where a position's number lies.
pub fn index(region: &Region, [n, c, y, x]: [usize; 4]) -> usize {
    region.at(n, c / LANES, y, x) + c % LANES
}

/// A place for maps: a buffer of its own, or a part of one.
pub fn region(rng: &mut ChaCha8Rng, [batch, channels, height, width]: [usize; 4]) -> Region {
    let mut region = Region::new(batch, channels, [height, width]);
    if rng.random_bool(0.3) {
        region.first_block = rng.random_range(0..3);
        region.buffer_blocks += region.first_block + rng.random_range(0..3usize);
    }
    region
}

/// Maps in blocks; what is beside them in the buffer is NaN.
pub fn lay<T: Element>(region: &Region, maps: &Maps) -> Vec<T> {
    let mut data = vec![T::NAN; region.len()];
    for n in 0..region.batch {
        for y in 0..region.height {
            for x in 0..region.width {
                for c in 0..region.padded_channels() {
                    let value = if c < region.channels { maps.at([n, c, y, x]) } else { 0.0 };
                    data[index(region, [n, c, y, x])] = T::from_f64(value);
                }
            }
        }
    }
    data
}

/// What a view's map is.
#[derive(Clone, Debug)]
pub enum Kind<T> {
    Identity,
    Planar,
    Affine([Vec<T>; 3]),
    Mix { entries: [Vec<T>; 3], other: Vec<T>, region: Region },
}

/// A view with its memory, and what is seen through it.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    pub data: Vec<T>,
    pub region: Region,
    pub kind: Kind<T>,
    /// What is in memory.
    pub raw: Maps,
    /// What is seen.
    pub maps: Maps,
}

/// One entry per padded channel, 0 for the padding.
fn entries<T: Element>(rng: &mut ChaCha8Rng, region: &Region) -> Vec<T> {
    let mut entries: Vec<T> = cast(&many(rng, region.channels));
    entries.resize(region.padded_channels(), T::ZERO);
    entries
}

impl<T: Element> Seen<T> {
    pub fn random(rng: &mut ChaCha8Rng, shape: [usize; 4]) -> Self {
        let raw = Maps::random(rng, shape);
        let kind = rng.random_range(0..5);
        Self::new(rng, raw, kind)
    }

    pub fn plain(rng: &mut ChaCha8Rng, raw: Maps) -> Self {
        Self::new(rng, raw, 0)
    }

    fn new(rng: &mut ChaCha8Rng, raw: Maps, kind: usize) -> Self {
        let at = region(rng, raw.shape);
        let mut maps = raw.clone();
        let kind = match kind {
            2 => {
                let floors = rng.random_bool(0.7);
                let [scale, shift] = [entries::<T>(rng, &at), entries(rng, &at)];
                let floor =
                    if floors { vec![T::ZERO; at.padded_channels()] } else { vec![T::NAN; at.padded_channels()] };
                for p in raw.each() {
                    let x = raw.at(p) * scale[p[1]].to_f64() + shift[p[1]].to_f64();
                    maps.set(p, if floors && x < 0.0 { 0.0 } else { x });
                }
                Kind::Affine([scale, shift, floor])
            }
            3 => {
                let entries = [entries::<T>(rng, &at), entries(rng, &at), entries(rng, &at)];
                let second = Maps::random(rng, raw.shape);
                let other_region = region(rng, raw.shape);
                for p in raw.each() {
                    let [scale, other_scale, shift] = [0, 1, 2].map(|i| entries[i][p[1]].to_f64());
                    maps.set(p, raw.at(p) * scale + second.at(p) * other_scale + shift);
                }
                Kind::Mix { entries, other: lay(&other_region, &second), region: other_region }
            }
            4 => {
                let region = Region::new(raw.shape[0], raw.shape[1], [raw.shape[2], raw.shape[3]]);
                return Self { data: cast(&raw.data), region, kind: Kind::Planar, raw, maps };
            }
            _ => Kind::Identity,
        };
        Self { data: lay(&at, &raw), region: at, kind, raw, maps }
    }

    pub fn view(&self) -> View<'_, T> {
        let map = match &self.kind {
            Kind::Identity => Map::Identity,
            Kind::Planar => Map::Planar,
            Kind::Affine([scale, shift, floor]) => Map::Affine { scale, shift, floor },
            Kind::Mix { entries: [scale, other_scale, shift], other, region } => {
                Map::Mix { scale, other, other_region: *region, other_scale, shift }
            }
        };
        View { data: &self.data, region: self.region, map }
    }
}

/// Whether two numbers are the same but for rounding.
#[track_caller]
pub fn close<T: Element>(is: f64, should: f64, what: impl Display) {
    let tolerance = if size_of::<T>() == 4 { 3e-5 } else { 1e-10 };
    let same = is == should || (is.is_nan() && should.is_nan());
    let near = (is - should).abs() <= tolerance * (1.0 + should.abs());
    assert!(same || near, "{what}: {is}, not {should}");
}

#[track_caller]
pub fn all_close<T: Element>(is: &[T], should: &[f64], what: &str) {
    assert_eq!(is.len(), should.len(), "{what}");
    for (i, (is, should)) in is.iter().zip(should).enumerate() {
        close::<T>(is.to_f64(), *should, format_args!("{what} {i}"));
    }
}

/// What arrived in a sink.
#[derive(Debug, PartialEq)]
struct Arrived {
    bits: Vec<u64>,
    sums: [Vec<u64>; 2],
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// Holds what a kernel sends to some random sink against `expected`, for one thread and for more.
pub fn check<T: Element>(rng: &mut ChaCha8Rng, expected: &Maps, what: &str, mut kernel: impl FnMut(Sink<'_, T>)) {
    check_each(rng, expected, true, what, &mut kernel);
}

/// The same for a kernel that takes the moments of what it stores only if `moments`.
pub fn check_sinks<T: Element>(
    rng: &mut ChaCha8Rng,
    expected: &Maps,
    moments: bool,
    what: &str,
    mut kernel: impl FnMut(Sink<'_, T>),
) {
    check_each(rng, expected, moments, what, &mut kernel);
}

/// What sends its results to a sink. No type of each kernel's own: all that checks them would be compiled for each.
pub type Kernel<'k, T> = &'k mut dyn FnMut(Sink<'_, T>);

fn check_each<T: Element>(rng: &mut ChaCha8Rng, expected: &Maps, moments: bool, what: &str, kernel: Kernel<'_, T>) {
    let region = region(rng, expected.shape);
    let old = Maps::random(rng, expected.shape);
    let before: Vec<T> = lay(&region, &old);
    let seed = rng.random();
    let widths = [1, one_of(rng, &[2, 3])];
    let mut first = None;
    for width in widths {
        let _threads = on_threads(width);
        let mut data = before.clone();
        let rng = &mut random(seed);
        let (should, sums, should_sums) = match rng.random_bool(0.5) {
            true => stored(rng, expected, moments, &region, &mut data, kernel),
            false => pulled(rng, expected, &region, &old, &mut data, kernel),
        };
        for p in expected.each() {
            close::<T>(data[index(&region, p)].to_f64(), should.at(p), format_args!("{what} at {p:?} {region:?}"));
        }
        for [sums, should] in [0, 1].map(|i| [&sums[i], &should_sums[i]]) {
            assert_eq!(sums.len(), should.len(), "{what}");
            for (sum, should) in sums.iter().zip(should.iter()) {
                let pixels = expected.pixels().max(1) as f64;
                close::<T>(sum / pixels, should / pixels, format_args!("{what}: sums"));
            }
        }
        // Padding stays zero, what is beside stays as it was.
        let mut touched = vec![false; data.len()];
        expected.each().for_each(|p| touched[index(&region, p)] = true);
        for (i, (now, before)) in data.iter().zip(&before).enumerate() {
            if !touched[i] {
                assert!(now == before || before.to_f64().is_nan() && now.to_f64().is_nan(), "{what}: {now:?} beside");
            }
        }
        let arrived = Arrived {
            bits: data.iter().map(|x| x.to_f64().to_bits()).collect(),
            sums: [bits(&sums[0]), bits(&sums[1])],
        };
        match &first {
            None => first = Some(arrived),
            Some(first) => assert_eq!(first, &arrived, "{what}: with {width} threads"),
        }
    }
}

type Outcome = (Maps, [Vec<f64>; 2], [Vec<f64>; 2]);

fn stored<T: Element>(
    rng: &mut ChaCha8Rng,
    expected: &Maps,
    moments: bool,
    region: &Region,
    data: &mut [T],
    kernel: Kernel<'_, T>,
) -> Outcome {
    let channels = expected.shape[1];
    let bias = rng.random_bool(0.5).then(|| many(rng, channels));
    let floor = rng.random_bool(0.3).then(|| one_of(rng, &[0.0, -0.5, 0.25]));
    let mut moments = (moments && rng.random_bool(0.5)).then(Moments::default);
    let mut should = expected.clone();
    for p in expected.each() {
        let x = expected.at(p) + bias.as_ref().map_or(0.0, |bias| bias[p[1]]);
        should.set(p, x.max(floor.unwrap_or(f64::NEG_INFINITY)));
    }
    let bias: Option<Vec<T>> = bias.map(|bias| cast(&bias));
    kernel(Sink::Store(Store {
        data,
        region: *region,
        bias: bias.as_deref(),
        floor: floor.map(T::from_f64),
        moments: moments.as_mut(),
    }));
    let Some(moments) = moments else { return (should, Default::default(), Default::default()) };
    let pixels = expected.pixels() as f64;
    let mut means = vec![0.0; channels];
    should.each().for_each(|p| means[p[1]] += should.at(p) / pixels);
    let mut variances = vec![0.0; channels];
    should.each().for_each(|p| variances[p[1]] += (should.at(p) - means[p[1]]).powi(2) / pixels);
    if pixels == 0.0 {
        (means, variances) = (vec![f64::NAN; channels], vec![f64::NAN; channels]);
    }
    // They are compared as sums over the pixels.
    let scale = |values: &[f64]| values.iter().map(|x| x * pixels.max(1.0)).collect::<Vec<_>>();
    (should, [scale(&moments.mean), scale(&moments.variance)], [scale(&means), scale(&variances)])
}

fn pulled<T: Element>(
    rng: &mut ChaCha8Rng,
    expected: &Maps,
    region: &Region,
    old: &Maps,
    data: &mut [T],
    kernel: Kernel<'_, T>,
) -> Outcome {
    let channels = expected.shape[1];
    let arrival = one_of(rng, &[Arrival::Replace, Arrival::Add, Arrival::Finish, Arrival::Count]);
    let factor: Option<Vec<T>> = rng.random_bool(0.5).then(|| entries(rng, region));
    let seen = rng.random_bool(0.6).then(|| {
        let (raw, kind) = (Maps::random(rng, expected.shape), one_of(rng, &[0, 2, 2]));
        Seen::<T>::new(rng, raw, kind)
    });
    let mut sums = rng.random_bool(0.6).then(|| Sums { centre: many(rng, channels), ..Sums::default() });
    let (mut should, mut should_sums) = (expected.clone(), [vec![0.0; channels], vec![0.0; channels]]);
    for p in expected.each() {
        let mut g = expected.at(p) + if arrival == Arrival::Finish { old.at(p) } else { 0.0 };
        if let Some(Seen { raw, kind, .. }) = &seen {
            if let Kind::Affine([scale, shift, floor]) = kind
                && raw.at(p) * scale[p[1]].to_f64() + shift[p[1]].to_f64() <= floor[p[1]].to_f64()
            {
                g = 0.0;
            }
            if let Some(sums) = &sums {
                should_sums[1][p[1]] += g * (raw.at(p) - sums.centre[p[1]]);
            }
        }
        if sums.is_some() {
            should_sums[0][p[1]] += g;
        }
        g *= factor.as_ref().map_or(1.0, |factor| factor[p[1]].to_f64());
        match arrival {
            Arrival::Replace | Arrival::Finish => should.set(p, g),
            Arrival::Add => should.set(p, g + old.at(p)),
            Arrival::Count => should.set(p, old.at(p)),
        }
    }
    kernel(Sink::Pull(Pull {
        data,
        region: *region,
        arrival,
        factor: factor.as_deref(),
        through: seen.as_ref().map(Seen::view),
        sums: sums.as_mut(),
    }));
    match sums {
        Some(sums) => (should, [sums.gradient, sums.product], should_sums),
        None => (should, Default::default(), Default::default()),
    }
}
