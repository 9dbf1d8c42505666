//! Copies, activations, dropout and local response normalisation against plain loops.

use crate::common::{Maps, Seen, batch, cast, channels, check, index, lay, one_of, size};
use cnn_kernels::activation::{Activation, multiply};
use cnn_kernels::copy::{Channels, concat, copy, gather, sum};
use cnn_kernels::flatten::{flatten, unflatten};
use cnn_kernels::{Element, InstructionSet, Lrn, Region, from_blocks, threads, to_blocks};
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
    threads::set_threads(2);
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
    threads::set_threads(one_of(rng, &[1, 2, 3]));
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
