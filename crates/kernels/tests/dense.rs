//! Fully connected layers, losses, sums and optimisers against plain loops.

use crate::common::{
    Maps, Seen, all_close, batch, cast, channels, check, close, index, many, on_threads, one_of, size,
};
use cnn_kernels::loss::{CrossEntropy, Targets};
use cnn_kernels::moments::{channel_sums, moments};
use cnn_kernels::update::{AdamW, RmsProp, Sgd, Update};
use cnn_kernels::{Element, InstructionSet, Linear, Region, View};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn layer(rng: &mut ChaCha8Rng) -> (Linear, usize) {
    let length = |rng: &mut ChaCha8Rng| match rng.random_range(0..8) {
        0 => rng.random_range(60..140),
        1 => one_of(rng, &[255, 256, 257, 511, 512, 513, 700]),
        _ => channels(rng),
    };
    let (in_features, out_features) = (length(rng), length(rng));
    let batch = if rng.random_bool(0.2) { one_of(rng, &[6, 7, 12, 63, 64, 65, 130]) } else { batch(rng) };
    (Linear { in_features, out_features }, batch)
}

fn layers<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let (linear, batch) = layer(rng);
    let Linear { in_features: ins, out_features: outs } = linear;
    let what = format!("{set} {linear:?} {batch}");
    let weights = many(rng, linear.weights());
    let laid: Vec<T> = cast(&weights);
    let (input, gradient) = (Seen::<T>::random(rng, [batch, ins, 1, 1]), Seen::<T>::random(rng, [batch, outs, 1, 1]));
    let (mut forward, mut backward) = (Maps::zeros([batch, outs, 1, 1]), Maps::zeros([batch, ins, 1, 1]));
    let (mut by_weight, mut by_bias) = (vec![0.0; linear.weights()], vec![0.0; outs]);
    for n in 0..batch {
        for o in 0..outs {
            let g = gradient.maps.at([n, o, 0, 0]);
            by_bias[o] += g;
            let mut sum = 0.0;
            for i in 0..ins {
                let (x, w) = (input.maps.at([n, i, 0, 0]), weights[o * ins + i]);
                sum += x * w;
                backward.add([n, i, 0, 0], g * w);
                by_weight[o * ins + i] += g * x;
            }
            forward.set([n, o, 0, 0], sum);
        }
    }
    check(rng, &forward, &what, |sink| linear.forward(set, &input.view(), &laid, sink));
    check(rng, &backward, &format!("backward {what}"), |sink| {
        linear.backward_input(set, &gradient.view(), &laid, sink);
    });
    let mut results = [1, 3].map(|width| {
        let _threads = on_threads(width);
        let mut result = vec![T::NAN; linear.weights()];
        linear.backward_weights(set, &input.view(), &gradient.view(), &mut result);
        result
    });
    all_close(&results[0], &by_weight, &format!("weights {what}"));
    let mut bias = vec![T::NAN; outs];
    linear.backward_bias(set, &gradient.view(), &mut bias);
    all_close(&bias, &by_bias, &format!("bias {what}"));

    // A step taken part by part is the step taken at once.
    let update = rule(rng);
    let mut now = [laid.clone(), vec![T::ZERO; laid.len()], vec![T::ZERO; laid.len()]];
    let [w, m, s] = &mut now;
    linear.backward_weights_with(set, &input.view(), &gradient.view(), w, [m, s], &|w, memory, gradient| {
        update.step_part(set, w, gradient, memory);
    });
    let mut whole = [laid.clone(), vec![T::ZERO; laid.len()], vec![T::ZERO; laid.len()]];
    let [w, m, s] = &mut whole;
    update.step(set, w, &results[0], [m, s]);
    assert_eq!(now, whole, "{what} {update:?}");
    let [one, three] = &mut results;
    assert_eq!(one, three, "weights {what}");
}

fn rule(rng: &mut ChaCha8Rng) -> Update {
    let momentum = one_of(rng, &[0.0, 0.5, 0.9]);
    match rng.random_range(0..5) {
        0 => {
            Update::AdamW(AdamW { learning_rate: 0.01, beta1: 0.9, beta2: 0.99, eps: 1e-3, weight_decay: 0.1, step: 1 })
        }
        1 => Update::RmsProp(RmsProp { learning_rate: 0.01, alpha: 0.9, eps: 1e-3, momentum, weight_decay: 0.1 }),
        _ => Update::Sgd(Sgd {
            learning_rate: 0.125,
            momentum,
            nesterov: rng.random_bool(0.5),
            weight_decay: one_of(rng, &[0.0, 0.25]),
        }),
    }
}

fn steps<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let length = one_of(rng, &[0, 1, 15, 16, 17, 100, 16384, 16385, 40000]);
    let mut update = rule(rng);
    let _threads = on_threads(one_of(rng, &[1, 2, 3]));
    let mut expected = many(rng, length);
    let mut is: Vec<T> = cast(&expected);
    let mut memory =
        update.needs().map(|needed| vec![T::ZERO; if needed || rng.random_bool(0.5) { length } else { 0 }]);
    let (mut first, mut second) = (Vec::<f64>::new(), Vec::<f64>::new());
    for step in 1..4 {
        let gradient = many(rng, length);
        match &mut update {
            Update::Sgd(sgd) => {
                let decayed: Vec<_> = gradient.iter().zip(&expected).map(|(g, w)| g + w * sgd.weight_decay).collect();
                first = match first.is_empty() {
                    true => decayed.clone(),
                    false => first.iter().zip(&decayed).map(|(v, g)| v * sgd.momentum + g).collect(),
                };
                for (i, w) in expected.iter_mut().enumerate() {
                    let ahead = if sgd.nesterov { decayed[i] + first[i] * sgd.momentum } else { first[i] };
                    *w -= sgd.learning_rate * if sgd.momentum == 0.0 { decayed[i] } else { ahead };
                }
            }
            Update::AdamW(adam) => {
                adam.step = step;
                first.resize(length, 0.0);
                second.resize(length, 0.0);
                for (i, w) in expected.iter_mut().enumerate() {
                    first[i] = first[i] * adam.beta1 + gradient[i] * (1.0 - adam.beta1);
                    second[i] = second[i] * adam.beta2 + gradient[i].powi(2) * (1.0 - adam.beta2);
                    let mean = first[i] / (1.0 - adam.beta1.powi(step));
                    let root = (second[i] / (1.0 - adam.beta2.powi(step))).sqrt();
                    *w = *w * (1.0 - adam.learning_rate * adam.weight_decay)
                        - adam.learning_rate * mean / (root + adam.eps);
                }
            }
            Update::RmsProp(rule) => {
                first.resize(length, 0.0);
                second.resize(length, 0.0);
                for (i, w) in expected.iter_mut().enumerate() {
                    let g = gradient[i] + *w * rule.weight_decay;
                    first[i] = first[i] * rule.alpha + g.powi(2) * (1.0 - rule.alpha);
                    second[i] = second[i] * rule.momentum + g / (first[i].sqrt() + rule.eps);
                    *w -= rule.learning_rate * second[i];
                }
            }
        }
        let [m, s] = &mut memory;
        update.step(set, &mut is, &cast::<T>(&gradient), [m, s]);
    }
    all_close(&is, &expected, &format!("{set} {update:?} {length}"));
}

fn losses<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let (batch, classes) = (batch(rng), channels(rng));
    let entropy = CrossEntropy { weight: one_of(rng, &[1.0, 0.3]) };
    let logits = Seen::<T>::random(rng, [batch, classes, 1, 1]);
    let [labels, others] = [(); 2].map(|_| (0..batch).map(|_| rng.random_range(0..classes as u32)).collect::<Vec<_>>());
    let (smoothing, share) = (one_of(rng, &[0.0, 0.1, 1.0]), one_of(rng, &[1.0, 0.75, 0.0]));
    let mixed = one_of(rng, &[None, Some((&*others, share))]);
    let targets = Targets { labels: &labels, mixed, smoothing };
    let _threads = on_threads(one_of(rng, &[1, 2, 3]));
    let row = logits.region.padded_channels();
    let mut gradient = vec![T::NAN; batch * row];
    let loss = entropy.run(set, &logits.view(), &targets, &mut gradient);
    let mut expected = 0.0;
    for n in 0..batch {
        let sum: f64 = (0..classes).map(|c| logits.maps.at([n, c, 0, 0]).exp()).sum();
        for c in 0..row {
            let mut should = 0.0;
            if c < classes {
                let is = |label: u32| f64::from(u8::from(label as usize == c));
                let label = match mixed {
                    None => is(labels[n]),
                    Some((others, share)) => share * is(labels[n]) + (1.0 - share) * is(others[n]),
                };
                let target = (1.0 - smoothing) * label + smoothing / classes as f64;
                let p = logits.maps.at([n, c, 0, 0]).exp() / sum;
                expected -= target * p.ln() * entropy.weight / batch as f64;
                should = (p - target) * entropy.weight / batch as f64;
            }
            close::<T>(gradient[n * row + c].to_f64(), should, "gradient of the loss");
        }
    }
    close::<T>(loss, expected, "loss");
}

/// The gradient of the loss of mixed and smoothed targets is its central difference.
#[test]
fn the_gradient_of_the_loss_is_its_difference() {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    let (set, classes, delta) = (InstructionSet::Portable, 21, 1e-5);
    let region = Region::new(2, classes, [1, 1]);
    let mut logits: Vec<f64> = vec![0.0; region.len()];
    (0..2).for_each(|n| logits[n * 32..n * 32 + classes].fill_with(|| rng.random_range(-3.0..3.0)));
    let targets = Targets { labels: &[3, 20], mixed: Some((&[3, 0], 0.3)), smoothing: 0.1 };
    let loss = |logits: &[f64], gradient: &mut [f64]| {
        CrossEntropy { weight: 0.3 }.run(set, &View::plain(logits, region), &targets, gradient)
    };
    let (mut gradient, mut unused) = (logits.clone(), logits.clone());
    loss(&logits, &mut gradient);
    for (at, slope) in gradient.iter().enumerate() {
        let mut moved = |by: f64| {
            let mut moved = logits.clone();
            moved[at] += by;
            loss(&moved, &mut unused)
        };
        let difference = (moved(delta) - moved(-delta)) / (2.0 * delta);
        assert!((difference - slope).abs() < 1e-9, "logit {at}: {difference} and {slope}");
    }
}

fn sums<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let [height, width] = size(rng);
    let shape = [batch(rng), channels(rng), height, width];
    let view = Seen::<T>::random(rng, shape);
    let pixels = view.maps.pixels() as f64;
    let (mut sums, mut squares) = (vec![0.0; shape[1]], vec![0.0; shape[1]]);
    view.maps.each().for_each(|p| sums[p[1]] += view.maps.at(p));
    view.maps.each().for_each(|p| squares[p[1]] += (view.maps.at(p) - sums[p[1]] / pixels).powi(2));
    let results = [1, 2, 3].map(|width| {
        let _threads = on_threads(width);
        (channel_sums(set, &view.view()), moments(set, &view.view()))
    });
    for (result, moments) in &results {
        for c in 0..shape[1] {
            close::<T>(result[c], sums[c], "sum");
            close::<T>(moments.mean[c], sums[c] / pixels, "mean");
            close::<T>(moments.variance[c], squares[c] / pixels, "variance");
            assert_eq!(moments.mean[c].to_bits(), results[0].1.mean[c].to_bits());
            assert_eq!(moments.variance[c].to_bits(), results[0].1.variance[c].to_bits());
        }
    }
}

/// NaN in a row of the weights, or of the input, stays in what they give.
fn not_finite<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let linear = Linear { in_features: channels(rng), out_features: channels(rng) };
    let mut weights = vec![T::ONE; linear.weights()];
    let row = rng.random_range(0..linear.out_features);
    weights[row * linear.in_features..][..linear.in_features].fill(T::NAN);
    let mut maps = Maps::zeros([3, linear.in_features, 1, 1]);
    maps.data.fill(0.5);
    maps.set([1, linear.in_features - 1, 0, 0], f64::INFINITY);
    let input = Seen::<T>::plain(rng, maps);
    let region = cnn_kernels::Region::new(3, linear.out_features, [1, 1]);
    let mut data = vec![T::ZERO; region.len()];
    linear.forward(set, &input.view(), &weights, cnn_kernels::Sink::store(&mut data, region));
    for n in 0..3 {
        for o in 0..linear.out_features {
            let is = data[index(&region, [n, o, 0, 0])].to_f64();
            let should = if n == 1 { f64::INFINITY } else { 0.5 * linear.in_features as f64 };
            assert!(if o == row { is.is_nan() } else { is == should }, "{set} {linear:?}: {is}");
        }
    }
}

#[test]
fn layers_are_those_of_plain_loops() {
    on_all!(250, layers);
}

#[test]
fn steps_are_those_of_plain_loops() {
    on_all!(60, steps);
}

#[test]
fn losses_are_those_of_plain_loops() {
    on_all!(100, losses);
}

#[test]
fn sums_are_those_of_plain_loops() {
    on_all!(200, sums);
}

#[test]
fn layers_pass_on_what_is_not_finite() {
    on_all!(50, not_finite);
}
