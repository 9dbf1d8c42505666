//! Convolutions against plain loops.

mod common;

use cnn_kernels::{Conv, Element, InstructionSet, threads};
use common::{Maps, Seen, all_close, batch, cast, channels, check, check_sinks, many, one_of, size};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

fn problem(rng: &mut ChaCha8Rng) -> (Conv, [usize; 4], [usize; 4]) {
    loop {
        let pair = |rng: &mut ChaCha8Rng, values: &[usize]| [one_of(rng, values), one_of(rng, values)];
        let (groups, in_channels, out_channels) = match rng.random_range(0..5) {
            0 => {
                let channels = channels(rng);
                (channels, channels, channels * rng.random_range(1..3))
            }
            1 => {
                let groups = rng.random_range(1..9);
                (groups, 4 * groups, 4 * groups)
            }
            2 => {
                let groups = rng.random_range(1..5);
                (groups, groups * rng.random_range(1..9), groups * rng.random_range(1..9))
            }
            _ => (1, channels(rng), channels(rng)),
        };
        let plain = rng.random_bool(0.2);
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
fn meetings(conv: &Conv, input: [usize; 4], output: [usize; 4], mut meet: impl FnMut([usize; 4], [usize; 4], usize)) {
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

fn all<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let (conv, from, to) = problem(rng);
    let what = format!("{set} {conv:?} {from:?}");
    let weights = many(rng, conv.weights());
    let laid: Vec<T> = cast(&weights);
    let (input, gradient) = (Seen::<T>::random(rng, from), Seen::<T>::random(rng, to));

    let mut expected = Maps::zeros(to);
    meetings(&conv, from, to, |i, o, w| expected.add(o, input.maps.at(i) * weights[w]));
    check(rng, &expected, &format!("forward {what}"), |sink| conv.forward(set, &input.view(), &laid, sink));

    let mut expected = Maps::zeros(from);
    meetings(&conv, from, to, |i, o, w| expected.add(i, gradient.maps.at(o) * weights[w]));
    // With strides the gradient of the input comes in several phases, of which no moments are taken.
    let moments = conv.stride == [1, 1];
    check_sinks(rng, &expected, moments, &format!("backward {what}"), |sink| {
        conv.backward_input(set, &gradient.view(), &laid, sink);
    });

    let mut expected = vec![0.0; conv.weights()];
    meetings(&conv, from, to, |i, o, w| expected[w] += input.maps.at(i) * gradient.maps.at(o));
    let mut results = [1, 3].map(|width| {
        threads::set_threads(width);
        let mut result = vec![T::NAN; conv.weights()];
        conv.backward_weights(set, &input.view(), &gradient.view(), &mut result);
        result
    });
    all_close(&results[0], &expected, &format!("weights {what}"));
    let [one, three] = &mut results;
    assert_eq!(one, three, "weights {what}");
}

#[test]
fn convolutions_are_those_of_plain_loops() {
    on_all!(200, all);
}
