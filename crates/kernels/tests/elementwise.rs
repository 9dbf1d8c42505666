//! Copies, activations, dropout and local response normalisation against plain loops.

use crate::common::{Maps, Seen, batch, cast, channels, check, index, lay, on_threads, one_of, random, size};
use cnn_kernels::activation::{Activation, multiply};
use cnn_kernels::copy::{Channels, concat, copy, gather, sum};
use cnn_kernels::elementwise;
use cnn_kernels::flatten::{flatten, unflatten};
use cnn_kernels::{Element, InstructionSet, Lrn, Region, from_blocks, to_blocks};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

fn shape(rng: &mut ChaCha8Rng) -> [usize; 4] {
    let [height, width] = size(rng);
    [batch(rng), channels(rng), height, width]
}

fn sums<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let shape = shape(rng);
    let inputs: Vec<_> = (0..rng.random_range(0..4)).map(|_| Seen::<T>::random(rng, shape)).collect();
    let mut expected = Maps::zeros(shape);
    for p in expected.each() {
        inputs.iter().for_each(|input| expected.add(p, input.maps.at(p)));
    }
    let views: Vec<_> = inputs.iter().map(Seen::view).collect();
    check(rng, &expected, &format!("{set} sum of {} {shape:?}", views.len()), |sink| sum(set, &views, sink));
    if let Some(input) = inputs.first() {
        check(rng, &input.maps, &format!("{set} copy {shape:?}"), |sink| copy(set, &input.view(), sink));
    }
}

fn concats<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let [batch, _, height, width] = shape(rng);
    let inputs: Vec<_> = (0..rng.random_range(1..5))
        .map(|_| {
            let channels = channels(rng);
            Seen::<T>::random(rng, [batch, channels, height, width])
        })
        .collect();
    let total = inputs.iter().map(|input| input.maps.shape[1]).sum();
    let mut expected = Maps::zeros([batch, total, height, width]);
    let mut first = 0;
    for input in &inputs {
        for [n, c, y, x] in input.maps.each() {
            expected.set([n, first + c, y, x], input.maps.at([n, c, y, x]));
        }
        first += input.maps.shape[1];
    }
    let views: Vec<_> = inputs.iter().map(Seen::view).collect();
    let what = format!("{set} concat of {:?}", inputs.iter().map(|input| input.maps.shape).collect::<Vec<_>>());
    check(rng, &expected, &what, |sink| concat(set, &views, sink));
}

fn ranges<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let from = shape(rng);
    let to = channels(rng);
    let input = Seen::<T>::random(rng, from);
    let count = rng.random_range(0..=from[1].min(to));
    let (first, at) = (rng.random_range(0..=from[1] - count), rng.random_range(0..=to - count));
    let mut expected = Maps::zeros([from[0], to, from[2], from[3]]);
    for [n, c, y, x] in expected.each() {
        if (at..at + count).contains(&c) {
            expected.set([n, c, y, x], input.maps.at([n, c - at + first, y, x]));
        }
    }
    let what = format!("{set} {count} channels of {from:?} from {first} to {at} of {to}");
    let range = Channels { view: input.view(), from: first, to: at, count };
    check(rng, &expected, &what, |sink| gather(set, &[range], sink));
}

fn masks<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let shape = shape(rng);
    let (input, mask) = (Seen::<T>::random(rng, shape), Maps::random(rng, shape));
    let mut expected = input.maps.clone();
    expected.each().for_each(|p| expected.set(p, input.maps.at(p) * mask.at(p)));
    let mask: Vec<T> = lay(&Region::new(shape[0], shape[1], [shape[2], shape[3]]), &mask);
    check(rng, &expected, &format!("{set} mask {shape:?}"), |sink| multiply(set, &input.view(), &mask, sink));
}

fn activations<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let shape = shape(rng);
    let activation = match rng.random_range(0..3) {
        0 => Activation::Sigmoid,
        1 => Activation::Tanh { amplitude: 1.7159, slope: 2.0 / 3.0 },
        _ => Activation::Softmax,
    };
    let input = Seen::<T>::random(rng, shape);
    let mut outputs = Maps::zeros(shape);
    for p in outputs.each() {
        let x = input.maps.at(p);
        let value = match activation {
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Tanh { amplitude, slope } => amplitude * (slope * x).tanh(),
            Activation::Softmax => {
                let sum: f64 = (0..shape[1]).map(|c| input.maps.at([p[0], c, p[2], p[3]]).exp()).sum();
                x.exp() / sum
            }
        };
        outputs.set(p, value);
    }
    let what = format!("{set} {activation:?} {shape:?}");
    check(rng, &outputs, &what, |sink| activation.forward(set, &input.view(), sink));

    let gradient = Seen::<T>::random(rng, shape);
    let (seen, g) = (Seen::<T>::plain(rng, outputs.clone()), &gradient.maps);
    let mut expected = Maps::zeros(shape);
    for p in expected.each() {
        let (y, x) = (outputs.at(p), input.maps.at(p));
        let value = match activation {
            Activation::Sigmoid => g.at(p) * y * (1.0 - y),
            Activation::Tanh { amplitude, slope } => g.at(p) * amplitude * slope * (1.0 - (slope * x).tanh().powi(2)),
            Activation::Softmax => {
                let own = |c: usize| [p[0], c, p[2], p[3]];
                y * (g.at(p) - (0..shape[1]).map(|c| g.at(own(c)) * outputs.at(own(c))).sum::<f64>())
            }
        };
        expected.set(p, value);
    }
    check(rng, &expected, &format!("backward {what}"), |sink| {
        activation.backward(set, &seen.view(), &gradient.view(), sink);
    });
}

fn normalisations<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let shape = shape(rng);
    let lrn = Lrn {
        size: one_of(rng, &[1, 2, 3, 5, 5, 8, 40]),
        alpha: one_of(rng, &[1e-4, 0.25, 1.0]),
        beta: one_of(rng, &[0.75, 0.75, 0.5, 1.25]),
        k: one_of(rng, &[1.0, 2.0]),
    };
    let (input, gradient) = (Seen::<T>::random(rng, shape), Seen::<T>::random(rng, shape));
    let (x, g) = (&input.maps, &gradient.maps);
    let mut denominators = Maps::zeros(shape);
    for [n, c, row, column] in x.each() {
        let window = c.saturating_sub(lrn.size / 2)..=(c + (lrn.size - 1) / 2).min(shape[1] - 1);
        let sum: f64 = window.map(|c| x.at([n, c, row, column]).powi(2)).sum();
        denominators.set([n, c, row, column], lrn.k + lrn.alpha * sum);
    }
    let (mut forward, mut backward) = (Maps::zeros(shape), Maps::zeros(shape));
    for p in x.each() {
        let power = denominators.at(p).powf(-lrn.beta);
        forward.set(p, x.at(p) * power);
        backward.add(p, g.at(p) * power);
        let c = p[1];
        for neighbour in c.saturating_sub(lrn.size / 2)..=(c + (lrn.size - 1) / 2).min(shape[1] - 1) {
            let q = [p[0], neighbour, p[2], p[3]];
            let factor = -2.0 * lrn.alpha * lrn.beta * x.at(q);
            backward.add(q, factor * g.at(p) * x.at(p) * power / denominators.at(p));
        }
    }
    let what = format!("{set} {lrn:?} {shape:?}");
    check(rng, &forward, &what, |sink| lrn.forward(set, &input.view(), sink));
    let (input, gradient) = (input.view(), gradient.view());
    check(rng, &backward, &format!("backward {what}"), |sink| lrn.backward(set, &input, &gradient, sink));
}

/// What is not finite reaches its own results and no other.
fn not_finite<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let shape = [2, channels(rng), 5, 7];
    let mut maps = Maps::random(rng, shape);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let p = [0, 1, 2, 3].map(|axis| rng.random_range(0..shape[axis]));
        maps.set(p, value);
    }
    let region = Region::new(shape[0], shape[1], [shape[2], shape[3]]);
    let data: Vec<T> = lay(&region, &maps);
    let view = cnn_kernels::View::plain(&data, region);
    let _threads = on_threads(2);
    let mut results = vec![vec![T::ZERO; region.len()]; 2];
    copy(set, &view, cnn_kernels::Sink::store(&mut results[0], region));
    Activation::Sigmoid.forward(set, &view, cnn_kernels::Sink::store(&mut results[1], region));
    for p in maps.each() {
        let [copied, sigmoid] = [0, 1].map(|i| results[i][index(&region, p)].to_f64());
        let x = maps.at(p);
        assert!(copied == x || copied.is_nan() && x.is_nan());
        assert!((sigmoid - 1.0 / (1.0 + (-x).exp())).abs() < 1e-6 || sigmoid.is_nan() && x.is_nan());
    }
}

/// Rows of pixels become blocks, vectors and rows again.
fn layouts<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let shape = shape(rng);
    let input = Seen::<T>::random(rng, shape);
    let [batch, channels, height, width] = shape;
    let region = Region::new(batch, channels, [height, width]);
    let threads = on_threads(one_of(rng, &[1, 2, 3]));
    let rows: Vec<T> = cast(&input.maps.data);
    let (mut blocks, mut back) = (vec![T::NAN; region.len()], vec![T::NAN; rows.len()]);
    to_blocks(&rows, &mut blocks, &region);
    assert_eq!(blocks, lay(&region, &input.maps));
    from_blocks(&blocks, &region, &mut back);
    assert_eq!(rows, back);

    let length = channels * height * width;
    let vectors = Region::new(batch, length, [1, 1]);
    let mut flat = vec![T::NAN; vectors.len()];
    flatten(set, &input.view(), &mut flat, &vectors);
    let padded = vectors.padded_channels();
    for n in 0..batch {
        let row = &flat[n * padded..(n + 1) * padded];
        assert_eq!(row[..length], rows[n * length..(n + 1) * length], "{set} {shape:?}");
        assert!(row[length..].iter().all(|x| *x == T::ZERO), "{set} {shape:?}");
    }
    drop(threads);
    if length > 0 {
        let gradient = Seen::<T>::random(rng, [batch, length, 1, 1]);
        let expected = Maps { shape, data: gradient.maps.data.clone() };
        check(rng, &expected, &format!("{set} unflatten {shape:?}"), |sink| unflatten(set, &gradient.view(), sink));
    }
}

#[test]
fn layouts_turn_into_each_other() {
    on_all!(100, layouts);
}

#[test]
fn sums_are_those_of_plain_loops() {
    on_all!(100, sums);
}

#[test]
fn concatenations_are_those_of_plain_loops() {
    on_all!(100, concats);
}

#[test]
fn channels_go_where_they_are_sent() {
    on_all!(150, ranges);
}

#[test]
fn masks_multiply() {
    on_all!(100, masks);
}

#[test]
fn activations_are_those_of_plain_loops() {
    on_all!(120, activations);
}

#[test]
fn local_responses_are_those_of_plain_loops() {
    on_all!(100, normalisations);
}

#[test]
fn what_is_not_finite_is_passed_on() {
    on_all!(50, not_finite);
}

/// Of lengths about those of a task and of a vector.
fn lengths() -> impl Iterator<Item = usize> {
    [0, 1, 15, 16, 17, (1 << 14) - 1, 1 << 14, (1 << 14) + 1, 3 * (1 << 14) + 21].into_iter()
}

/// Numbers of both signs, among them zeros of either sign, and one that is none.
fn numbers(seed: u64, length: usize) -> Vec<f32> {
    let mut rng = random(seed);
    let mut numbers: Vec<f32> = (0..length).map(|_| rng.random_range(-2.0..2.0)).collect();
    let special = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE / 4.0];
    for (place, number) in special.into_iter().enumerate() {
        if let Some(at) = numbers.get_mut(place * 3 + 2) {
            *at = number;
        }
    }
    numbers
}

/// Calls something with each of some numbers of threads.
fn with_threads(mut body: impl FnMut()) {
    for count in [1, 2, 5] {
        let _threads = on_threads(count);
        body();
    }
}

/// Holds what is done in place to what a plain loop says of each number, to the last bit.
fn each_number(name: &str, change: impl Fn(&mut [f32], &[f32]), expected: impl Fn(f32, f32) -> f32) {
    for length in lengths() {
        let (mut found, other) = (numbers(1, length), numbers(2, length).into_iter().rev().collect::<Vec<f32>>());
        let wanted: Vec<f32> = found.iter().zip(&other).map(|(x, y)| expected(*x, *y)).collect();
        change(&mut found, &other);
        for (place, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
            let same = found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan();
            assert!(same, "{name}, number {place} of {length}: {found} instead of {wanted}");
        }
    }
}

#[test]
fn what_is_done_number_by_number_is_what_plain_loops_do() {
    let (stays, new) = (0.999_f64 as f32, (1.0 - 0.999_f64) as f32);
    with_threads(|| {
        each_number("clear", |x, _| elementwise::clear(x), |_, _| 0.0);
        each_number("scale", |x, _| elementwise::scale(x, 0.3), |x, _| x * 0.3);
        each_number("divide", |x, _| elementwise::divide(x, 3.0), |x, _| x / 3.0);
        each_number("clamp", |x, _| elementwise::clamp(x, 0.5), |x, _| x.clamp(-0.5, 0.5));
        each_number("add", |x, y| elementwise::add_scaled(x, 0.7, y), |x, y| x + 0.7 * y);
        each_number("average", |x, y| elementwise::average(x, y, 0.999), |x, y| x * stays + y * new);
    });
}

#[test]
fn squares_are_summed_as_plain_loops_do_and_alike_by_any_threads() {
    for length in lengths() {
        let mut rng = random(3);
        let values: Vec<f32> = (0..length).map(|_| rng.random_range(-2.0..2.0)).collect();
        let expected: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
        let mut found = Vec::new();
        with_threads(|| found.push(elementwise::sum_of_squares(&values)));
        assert!((found[0] - expected).abs() <= 1e-13 * expected, "{length}: {} instead of {expected}", found[0]);
        assert!(found.iter().all(|sum| sum.to_bits() == found[0].to_bits()), "{length}: {found:?}");
    }
    assert!(elementwise::sum_of_squares(&[1.0, f32::NAN]).is_nan());
}

#[test]
fn mirrors_turn_rows_round() {
    for width in [1, 2, 3, 28, 224, 70_000] {
        for rows in [0, 1, 3, 500] {
            let rows = if width > 1000 { rows.min(3) } else { rows };
            let values: Vec<f32> = (0..rows * width).map(|at| at as f32).collect();
            let expected: Vec<f32> = values.chunks(width).flat_map(|row| row.iter().rev().copied()).collect();
            with_threads(|| {
                let mut found = values.clone();
                elementwise::mirror(&mut found, width);
                assert_eq!(found, expected, "{rows} rows of {width}");
            });
        }
    }
    elementwise::mirror(&mut [], 0);
}

#[cfg(panic = "unwind")]
#[test]
fn numbers_beyond_each_other_are_refused() {
    let refused = |body: &mut dyn FnMut()| {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err());
    };
    let (few, many) = ([1.0; 2], [1.0; 3]);
    refused(&mut || elementwise::add_scaled(&mut few.clone(), 1.0, &many));
    refused(&mut || elementwise::add_scaled(&mut many.clone(), 1.0, &few));
    refused(&mut || elementwise::average(&mut few.clone(), &many, 0.5));
    refused(&mut || elementwise::average(&mut many.clone(), &few, 0.5));
    refused(&mut || elementwise::mirror(&mut [0.0; 5], 2));
    refused(&mut || elementwise::mirror(&mut [0.0; 2], 0));
}
