//! Convolutions against plain loops.

use crate::common::{
    Maps, Seen, all_close, cast, channels, check, check_sinks, index, many, meetings, on_threads, one_of,
    random_convolution,
};
use cnn_kernels::{Conv, Element, InstructionSet, Region, Sink};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

fn problem(rng: &mut ChaCha8Rng) -> (Conv, [usize; 4], [usize; 4]) {
    random_convolution(rng, 0.2, |rng| match rng.random_range(0..5) {
        0 => {
            let channels = channels(rng);
            (channels, channels, channels * rng.random_range(1..3))
        }
        1 => {
            let groups = rng.random_range(1..9);
            (groups, 4 * groups, 4 * groups)
        }
        2 => {
            let groups = one_of(rng, &[1, 2, 3, 4, 8, 16]);
            (groups, groups * rng.random_range(1..9), groups * rng.random_range(1..9))
        }
        _ => (1, channels(rng), channels(rng)),
    })
}

fn all<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let problem = problem(rng);
    agrees::<T>(set, rng, problem);
}

/// Few channels are written, forward or back, to rows long enough for pixels to share vectors.
fn few_outputs<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    // More than a task of the gradient of the weights takes at once, now and then.
    let [few, many] = [rng.random_range(1..10), if rng.random_bool(0.1) { 70 } else { channels(rng) }];
    let [in_channels, out_channels] = if rng.random_bool(0.5) { [few, many] } else { [many, few] };
    let pair = |rng: &mut ChaCha8Rng, values: &[usize]| [one_of(rng, values), one_of(rng, values)];
    let (kernel, stride) = (pair(rng, &[1, 2, 3, 5]), pair(rng, &[1, 1, 1, 2]));
    let (padding, dilation) = (pair(rng, &[0, 1, 2]), pair(rng, &[1, 1, 2]));
    let conv = Conv { in_channels, out_channels, groups: 1, kernel, stride, padding, dilation };
    let size = [rng.random_range(9..14), rng.random_range(9..36)];
    let [rows, columns] = conv.output(size).expect("a kernel that fits");
    let batch = rng.random_range(1..4);
    agrees::<T>(set, rng, (conv, [batch, in_channels, size[0], size[1]], [batch, out_channels, rows, columns]));
}

#[test]
fn outputs_of_few_channels_are_those_of_plain_loops() {
    on_all!(100, few_outputs);
}

fn agrees<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng, (conv, from, to): (Conv, [usize; 4], [usize; 4])) {
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
        let _threads = on_threads(width);
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

/// What is not finite reaches the channels of its group that see it, never those of others, nor what fills blocks up.
fn not_finite<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let groups = one_of(rng, &[1, 1, 2, 3, 4, 5, 8, 16]);
    let [ins, outs] = [0, 1].map(|_| if groups == 1 { channels(rng) } else { rng.random_range(1..10) });
    let conv = Conv {
        in_channels: groups * ins,
        out_channels: groups * outs,
        groups,
        kernel: [3, 3],
        stride: [1, 2],
        padding: [1, 1],
        dilation: [1, 1],
    };
    let weights = vec![T::ONE; conv.weights()];
    let columns = one_of(rng, &[3, 7, 8]);
    let (from, to) = ([2, groups * ins, 5, 2 * columns], [2, groups * outs, 5, columns]);
    // Numbers of one side, one of them not finite, and where it is.
    let spoilt = |rng: &mut ChaCha8Rng, shape: [usize; 4]| {
        let mut maps = Maps::zeros(shape);
        maps.data.fill(0.5);
        let at = shape.map(|length| rng.random_range(0..length));
        maps.set(at, one_of(rng, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]));
        (Seen::<T>::plain(rng, maps), at)
    };
    let hold = |what: &str, region: &Region, data: &[T], sees: &dyn Fn([usize; 4]) -> bool| {
        for n in 0..region.batch {
            for c in 0..region.padded_channels() {
                for y in 0..region.height {
                    for x in 0..region.width {
                        let is = data[index(region, [n, c, y, x])].to_f64();
                        let spoilt = c < region.channels && sees([n, c, y, x]);
                        assert_eq!(is.is_finite(), !spoilt, "{what} {set} {conv:?} {:?}: {is}", [n, c, y, x]);
                        assert!(c < region.channels || is == 0.0);
                    }
                }
            }
        }
    };
    // Whether an output's window reads an input.
    let meet = |i: [usize; 4], o: [usize; 4]| {
        i[0] == o[0] && i[1] / ins == o[1] / outs && i[2].abs_diff(o[2]) <= 1 && i[3].abs_diff(2 * o[3]) <= 1
    };
    let (input, at) = spoilt(rng, from);
    let region = Region::new(to[0], to[1], [to[2], to[3]]);
    let mut data = vec![T::NAN; region.len()];
    conv.forward(set, &input.view(), &weights, Sink::store(&mut data, region));
    hold("forward", &region, &data, &|o| meet(at, o));

    let gradient = Seen::<T>::plain(rng, Maps { shape: to, data: vec![0.5; to.iter().product()] });
    let mut data = vec![T::ZERO; conv.weights()];
    conv.backward_weights(set, &input.view(), &gradient.view(), &mut data);
    for (number, is) in data.iter().map(|x| x.to_f64()).enumerate() {
        let [o, i, ky, kx] = [number / (9 * ins), number / 9 % ins, number / 3 % 3, number % 3];
        let reads = |output: usize, step: usize, tap: usize, input: usize| output * step + tap == input + 1;
        let spoilt = o / outs * ins + i == at[1]
            && (0..to[2]).any(|y| reads(y, 1, ky, at[2]))
            && (0..to[3]).any(|x| reads(x, 2, kx, at[3]));
        assert_eq!(is.is_finite(), !spoilt, "weights {set} {conv:?} {:?}: {is}", [o, i, ky, kx]);
    }

    let (gradient, at) = spoilt(rng, to);
    let region = Region::new(from[0], from[1], [from[2], from[3]]);
    let mut data = vec![T::NAN; region.len()];
    conv.backward_input(set, &gradient.view(), &weights, Sink::store(&mut data, region));
    hold("backward", &region, &data, &|i| meet(i, at));
}

#[test]
fn convolutions_pass_on_what_is_not_finite() {
    on_all!(100, not_finite);
}
