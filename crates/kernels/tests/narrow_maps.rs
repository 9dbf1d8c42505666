//! Pools and transfers of narrow maps against plain loops, conversions bit by bit, and quantisation.

use crate::common::narrow::{Entries, Number, arrived, finished, lay_narrow, mapped, random_map};
use crate::common::{Maps, Seen, batch, channels, fewer, on_threads, one_of, random, region, sets, size};
use cnn_kernels::narrow::pictures::{Cells, pictures};
use cnn_kernels::narrow::{
    Addend, Finish, Format, Origin, Pool, Quantisation, ReadMap, Source, Target, bf16, bf16_available, int8_unit,
    quantise_weights, requantise, transfer,
};
use cnn_kernels::pool::{Average, Max, Span};
use cnn_kernels::{Conv, InstructionSet, LANES, Map, Region, View};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Narrow maps with their memory, and what is read of them.
struct Held<F> {
    data: Vec<F>,
    region: Region,
    map: Option<Entries>,
    read: Maps,
}

impl<F: Number> Held<F> {
    fn random(rng: &mut ChaCha8Rng, shape: [usize; 4]) -> Self {
        let (region, raw) = (region(rng, shape), F::maps(rng, shape));
        let map = rng.random_bool(0.3).then(|| random_map::<F>(rng, &region));
        Self { data: lay_narrow(rng, &region, &raw), region, read: mapped::<F>(&raw, map.as_ref()), map }
    }

    fn source(&self) -> Source<'_, F> {
        let map = self.map.as_ref().map(|(scale, shift, floor)| ReadMap { scale, shift, floor: *floor });
        Source { data: &self.data, region: self.region, zero: F::default(), map }
    }
}

/// Holds what a kernel sends to both kinds of targets against what it computes before it finishes.
fn check<F: Number>(rng: &mut ChaCha8Rng, expected: &Maps, what: &str, kernel: &dyn Fn(Target<'_, F>, &Finish<'_, F>)) {
    let (shape, target) = (expected.shape, region(rng, expected.shape));
    let (scale, bias) = (F::scales(rng, shape[1]), F::scales(rng, shape[1]));
    let added = F::maps(rng, shape);
    let added_at = region(rng, shape);
    let data = lay_narrow::<F>(rng, &added_at, &added);
    // Nothing at all is usual, too: what is stored already is copied then.
    let some = rng.random_bool(0.7);
    let finish = Finish {
        scale: (some && rng.random_bool(0.5)).then_some(&*scale),
        bias: (some && rng.random_bool(0.5)).then_some(&*bias),
        addend: (some && rng.random_bool(0.4)).then_some(Addend { data: &data, region: added_at, factor: -0.5 }),
        floor: one_of(rng, &[None, None, Some(0.0), Some(0.25)]),
    };
    let expected = finished(expected, &finish, &added);
    for width in [1, 3] {
        let _threads = on_threads(width);
        let old = F::maps(rng, shape);
        let before = lay_narrow::<F>(rng, &target, &old);
        let (mut narrow, mut wide) = (before.clone(), vec![f32::NAN; target.len()]);
        kernel(Target::Narrow(&mut narrow, target), &finish);
        kernel(Target::Wide(&mut wide, target), &finish);
        arrived(what, &target, &expected, [&before, &narrow], &wide);
    }
}

/// Holds a max pool with so many windows along each axis against plain loops.
fn check_max<F: Number>(set: InstructionSet, rng: &mut ChaCha8Rng, held: &Held<F>, pool: &Max, windows: [usize; 2]) {
    let shape @ [batch, channels, height, width] = held.read.shape;
    let mut expected = Maps::zeros([batch, channels, windows[0], windows[1]]);
    for o in expected.clone().each() {
        let mut largest = f64::NEG_INFINITY;
        for tap in 0..pool.kernel[0] * pool.kernel[1] {
            let at = [tap / pool.kernel[1], tap % pool.kernel[1]];
            let [y, x] = [0, 1].map(|axis| {
                (o[axis + 2] * pool.stride[axis] + at[axis] * pool.dilation[axis]).wrapping_sub(pool.padding[axis])
            });
            if y < height && x < width {
                largest = largest.max(held.read.at([o[0], o[1], y, x]));
            }
        }
        expected.set(o, largest);
    }
    let prepared = Pool::max(pool, [height, width], windows).unwrap();
    check::<F>(rng, &expected, &format!("{set} {pool:?} {shape:?}"), &|target, finish| {
        prepared.run(set, held.source(), target, finish);
    });
}

/// Holds means against plain loops.
fn check_average<F: Number>(set: InstructionSet, rng: &mut ChaCha8Rng, held: &Held<F>, pool: &Average) {
    let shape @ [batch, channels, height, width] = held.read.shape;
    let mut expected = Maps::zeros([batch, channels, pool.spans[0].len(), pool.spans[1].len()]);
    for o in expected.clone().each() {
        let [down, right] = [pool.spans[0][o[2]], pool.spans[1][o[3]]];
        let mut sum = 0.0;
        for y in down.start..down.end {
            for x in right.start..right.end {
                sum += held.read.at([o[0], o[1], y, x]);
            }
        }
        let divisor = down.divisor * right.divisor;
        let share = if divisor == 0 { 0.0 } else { (1.0 / divisor as f64) as f32 };
        expected.set(o, f64::from(sum as f32 * share));
    }
    let prepared = Pool::average(pool, [height, width]).unwrap();
    check::<F>(rng, &expected, &format!("{set} {pool:?} {shape:?}"), &|target, finish| {
        prepared.run(set, held.source(), target, finish);
    });
}

fn pools<F: Number>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let [height, width] = size(rng);
    let shape = [batch(rng), channels(rng), height, width];
    let held = Held::<F>::random(rng, shape);
    let pair = |rng: &mut ChaCha8Rng, values: &[usize]| [one_of(rng, values), one_of(rng, values)];
    let pool = Max {
        kernel: pair(rng, &[1, 2, 3, 5]),
        stride: pair(rng, &[1, 2, 3]),
        padding: pair(rng, &[0, 1, 2]),
        dilation: pair(rng, &[1, 1, 2]),
    };
    let windows = [0, 1].map(|axis| (shape[axis + 2] + 2 * pool.padding[axis]).div_ceil(pool.stride[axis]));
    check_max(set, rng, &held, &pool, windows);
    let counts = [rng.random_range(1..6), rng.random_range(1..6)];
    let pool = match rng.random_bool(0.3) {
        true => Average::global([height, width]),
        false => Average {
            spans: [0, 1].map(|axis| {
                let (length, count) = (shape[axis + 2], counts[axis]);
                let bounds = |o: usize| (o * length / count, ((o + 1) * length).div_ceil(count));
                (0..count).map(bounds).map(|(start, end)| Span { start, end, divisor: end - start }).collect()
            }),
        },
    };
    check_average(set, rng, &held, &pool);
}

/// Kernel, stride, padding and dilation of pools as networks have them.
const USUAL: [[usize; 4]; 8] =
    [[3, 1, 1, 1], [3, 2, 1, 1], [3, 2, 0, 1], [2, 2, 0, 1], [2, 1, 0, 1], [3, 1, 2, 2], [5, 1, 2, 1], [3, 3, 0, 1]];

/// One of them, over maps so wide that more windows fit a row than are computed at once.
fn usual_pools<F: Number>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let [kernel, stride, padding, dilation] = one_of(rng, &USUAL);
    let covered = dilation * (kernel - 1) + 1;
    let (height, width) = (rng.random_range(5..12), one_of(rng, &[5, 7, 8, 14, 33, 34, 65, 112, 140]));
    let shape = [rng.random_range(1..3), one_of(rng, &[16, 32, 37]), height, width];
    let held = Held::<F>::random(rng, shape);
    let windows = [height, width].map(|length| (length + 2 * padding - covered) / stride + 1);
    let pool = Max { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2], dilation: [dilation; 2] };
    check_max(set, rng, &held, &pool, windows);
    // The same windows' means, of what padding leaves or with padding counted.
    let counted = rng.random_bool(0.5);
    let spans = [height, width].map(|length| {
        let windows = (0..(length + 2 * padding - kernel) / stride + 1).map(|number| number * stride);
        let clipped = windows.map(|from| (from.saturating_sub(padding), (from + kernel - padding).min(length)));
        let divided = |length: usize| if counted { kernel } else { length };
        clipped.map(|(start, end)| Span { start, end, divisor: divided(end - start) }).collect()
    });
    check_average(set, rng, &held, &Average { spans });
}

fn transfers<F: Number>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let [height, width] = size(rng);
    let shape = [batch(rng), channels(rng), height, width];
    let held = Held::<F>::random(rng, shape);
    check::<F>(rng, &held.read, &format!("{set} narrow {shape:?}"), &|target, finish| {
        transfer(set, Origin::Narrow(held.source()), target, finish);
    });
    let seen = Seen::<f32>::random(rng, shape);
    check::<F>(rng, &seen.maps, &format!("{set} wide {shape:?}"), &|target, finish| {
        transfer(set, Origin::Wide(seen.view()), target, finish);
    });
}

/// Runs problems on both formats and every instruction set.
fn on_both(count: u64, of_bf16: fn(InstructionSet, &mut ChaCha8Rng), of_u8: fn(InstructionSet, &mut ChaCha8Rng)) {
    for set in sets() {
        for seed in 0..fewer(count) {
            of_bf16(set, &mut random(seed));
            of_u8(set, &mut random(seed));
        }
    }
}

#[test]
fn pools_are_those_of_plain_loops() {
    on_both(100, pools::<bf16>, pools::<u8>);
}

#[test]
fn usual_pools_of_wide_maps_are_those_of_plain_loops() {
    on_both(60, usual_pools::<bf16>, usual_pools::<u8>);
}

#[test]
fn transfers_are_those_of_plain_loops() {
    on_both(100, transfers::<bf16>, transfers::<u8>);
}

/// Sends numbers, sixteen and more at once, from `f32` to a format.
fn rounded<F: Format>(set: InstructionSet, numbers: &[f32]) -> Vec<F> {
    let region = Region::new(1, LANES, [1, numbers.len() / LANES]);
    let mut narrow = vec![F::default(); region.len()];
    let view = View { data: numbers, region, map: Map::Identity };
    transfer(set, Origin::Wide(view), Target::Narrow(&mut narrow, region), &Finish::default());
    narrow
}

/// Every `f32` next to where rounding changes: around each `bf16`, halfway between two, infinities, the smallest numbers,
/// and NaN.
#[test]
fn rounding_to_bf16_is_exact_on_every_number() {
    let numbers: Vec<f32> = (0..=u16::MAX)
        .flat_map(|upper| {
            let bits = u32::from(upper) << 16;
            [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff].map(|lower| f32::from_bits(bits | lower))
        })
        .collect();
    for set in sets() {
        let narrow = rounded::<bf16>(set, &numbers);
        assert_eq!(narrow.len(), 6 << 16);
        for (is, from) in narrow.iter().zip(&numbers) {
            let should = bf16::from_bits(nearest(*from));
            // Something is added on the way, so −0 becomes 0, which is equal.
            let same = *is == should || (from.is_nan() && is.is_nan());
            assert!(same, "{set}: {from:e} ({:08x}) became {is:?}, not {should:?}", from.to_bits());
        }
    }
}

/// The bits of the nearest `bf16`, to the even one of two: by trying both neighbours in `f64`.
fn nearest(x: f32) -> u16 {
    let below = (x.to_bits() >> 16) as u16;
    if x.is_infinite() || x.is_nan() {
        return below;
    }
    let above = below + 1;
    let value = |bits: u16| f64::from(f32::from_bits(u32::from(bits) << 16));
    // Behind the largest comes what would be the next if the exponent went on.
    let end = 2.0_f64.powi(128).copysign(f64::from(x));
    let next = if f32::from_bits(u32::from(above) << 16).is_infinite() { end } else { value(above) };
    let [down, up] = [(f64::from(x) - value(below)).abs(), (next - f64::from(x)).abs()];
    if down < up || (down == up && below.is_multiple_of(2)) { below } else { above }
}

#[test]
fn rounding_to_8_bits_is_to_the_nearest_even_and_stays_within() {
    let numbers: Vec<f32> = (-1100..1100)
        .map(|quarter| quarter as f32 / 4.0)
        .chain([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, 3e9, 254.5, 0.499_999_97])
        .collect();
    for set in sets() {
        for (is, from) in rounded::<u8>(set, &numbers).iter().zip(&numbers) {
            assert_eq!(*is, from.clamp(0.0, 255.0).round_ties_even() as u8, "{set}: {from}");
        }
    }
}

#[test]
fn quantised_numbers_stand_for_what_they_came_from() {
    for (low, high) in [(-1.0, 3.0), (0.0, 6.0), (-2.5, 0.0), (0.5, 1.0), (-1e-3, 1e-4)] {
        let quantisation = Quantisation::of_range(low, high);
        assert_eq!(quantisation.real(quantisation.zero), 0.0);
        for i in 0..=100 {
            let x = low + (high - low) * i as f32 / 100.0;
            let away = (quantisation.real(quantisation.quantise(x)) - x).abs();
            assert!(away <= 1.001 * quantisation.scale, "{x} of {low} to {high}: {away} away");
        }
    }
    for (low, high) in [(0.0, 0.0), (f32::NAN, f32::NAN), (0.0, f32::INFINITY)] {
        assert_eq!(Quantisation::of_range(low, high), Quantisation { scale: 1.0, zero: 0 });
    }
}

#[test]
fn weights_keep_their_largest_of_each_output() {
    let conv = Conv {
        in_channels: 2,
        out_channels: 3,
        groups: 1,
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
    };
    let (weights, scales) = quantise_weights(&conv, &[1.0, -2.0, 0.0, 0.0, 0.3, 0.1]);
    assert_eq!(weights, [64, -127, 0, 0, 127, 42]);
    assert_eq!(scales, [2.0 / 127.0, 1.0, 0.3 / 127.0]);
    let (weights, scales) = quantise_weights(&conv, &[f32::NAN, 1.0, f32::INFINITY, 0.5, 1.0, 1.0]);
    assert_eq!(weights[2..4], [127, 0]);
    assert!(scales.iter().all(|scale| *scale > 0.0 && scale.is_finite()));
}

/// What `requantise` says takes sums to the numbers of the output within half of one.
#[test]
fn requantised_sums_are_the_real_result_rounded() {
    let rng = &mut random(3);
    for _ in 0..fewer(200) {
        let quantisation =
            |rng: &mut ChaCha8Rng| Quantisation::of_range(-rng.random_range(0.0_f32..4.0), rng.random_range(0.1..4.0));
        let (product, bias) = (rng.random_range(1e-4_f32..1e-3), rng.random_range(-1.0_f32..1.0));
        let (addend, output, relu) = (quantisation(rng), quantisation(rng), rng.random_bool(0.5));
        let (sum, added): (i32, u8) = (rng.random_range(-3000..3000), rng.random());
        let real = f64::from(product) * f64::from(sum) + f64::from(bias) + f64::from(addend.real(added));
        let real = if relu { real.max(0.0) } else { real };
        let wanted = [bias];
        for to in [None, Some(output)] {
            let by = requantise([product], Some(&wanted), Some(addend), to, relu);
            let mut x = sum as f32 * by.scale[0] + by.bias[0] + f32::from(added) * by.factor;
            x = x.max(by.floor.unwrap_or(f32::NEG_INFINITY));
            let should = to.map_or(real, |to| real / f64::from(to.scale) + f64::from(to.zero));
            assert!((f64::from(x) - should).abs() < 1e-3 * (1.0 + should.abs()), "{x}, not {should}");
        }
    }
}

#[test]
fn what_is_missing_is_said() {
    for set in InstructionSet::ALL {
        match bf16_available(set) {
            Ok(()) => assert_eq!(set, InstructionSet::Avx512),
            Err(sentence) => assert!(sentence.contains("AVX512_BF16"), "{sentence}"),
        }
    }
    assert_eq!(int8_unit(InstructionSet::Portable), "plain products of 16 bits");
}

#[test]
fn pictures_lie_four_pixels_a_cell() {
    let mut rng = random(41);
    for _ in 0..fewer(60) {
        let (batch, channels) = (rng.random_range(1..3), rng.random_range(3..5));
        let [height, width] = [rng.random_range(1..20), rng.random_range(1..300)];
        let cells = Cells { step: rng.random_range(1..5), before: rng.random_range(0..6) };
        let region = Region::new(batch, 4 * channels, [height, rng.random_range(1..200)]);
        let images: Vec<f32> =
            (0..batch * channels * height * width).map(|_| rng.random_range(-2.0..2.0_f32)).collect();
        let scale: Vec<f32> = (0..channels).map(|_| rng.random_range(10.0..90.0)).collect();
        let bias: Vec<f32> = (0..channels).map(|_| rng.random_range(100.0..140.0)).collect();
        let (zero, floor) = (rng.random_range(0..=255_u8), rng.random_bool(0.5).then_some(50.0_f32));
        for set in sets() {
            let mut found = vec![1_u8; region.len()];
            let line = (&scale[..], &bias[..], floor);
            pictures(set, (&images, [channels, height, width]), cells, line, zero, (&mut found, region));
            for (at, found) in found.iter().enumerate() {
                let (lane, cell) = (at % LANES, at / LANES % region.width);
                let (row, image) = (at / LANES / region.width % height, at / LANES / region.width / height);
                let (channel, column) = (lane % channels, cell * cells.step + lane / channels);
                let expected = match column.checked_sub(cells.before).filter(|column| *column < width) {
                    _ if lane >= 4 * channels => 0,
                    None => zero,
                    Some(column) => {
                        let x = images[((image * channels + channel) * height + row) * width + column];
                        let x = x * scale[channel] + bias[channel];
                        x.max(floor.unwrap_or(x)).clamp(0.0, 255.0).round_ties_even() as u8
                    }
                };
                assert_eq!(*found, expected, "{set}, {cells:?}, {region:?}, number {at}");
            }
        }
    }
}

#[test]
fn means_of_the_largest_bytes_do_not_overflow() {
    // Sums of 256 of them fit 16 bits, those of more are taken in `f32`.
    for [height, width] in [[2, 128], [16, 16], [17, 16], [3, 86], [1, 300], [23, 41]] {
        let from = Region::new(1, LANES, [height, width]);
        let data = vec![u8::MAX; from.len()];
        let to = Region::new(1, LANES, [1, 1]);
        for set in sets() {
            let mut found = vec![0_u8; to.len()];
            let finish = Finish { scale: None, bias: None, addend: None, floor: None };
            let pool = Average::global([height, width]);
            let pool = Pool::average(&pool, [height, width]).unwrap();
            pool.run(set, Source::plain(&data, from), Target::Narrow(&mut found, to), &finish);
            assert!(found.iter().all(|mean| *mean == u8::MAX), "{set}, {height}×{width}: {found:?}");
        }
    }
}
