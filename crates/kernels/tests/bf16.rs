//! Convolutions with products of `bf16` and sums of `f32`: against plain loops over what is rounded, and Winograd's
//! algorithm against the definition.

use crate::common;
use crate::common::{
    Maps, Seen, all_close, cast, channels, check, check_sinks, many, meetings, one_of, random_convolution,
};
use cnn_kernels::narrow::bf16;
use cnn_kernels::{Algorithm, Conv, InstructionSet, Region, Sink, View, from_blocks, to_blocks};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Runs problems on every instruction set.
fn on_sets(count: u64, problem: fn(InstructionSet, &mut ChaCha8Rng)) {
    for set in common::sets() {
        for seed in 0..common::fewer(count) {
            problem(set, &mut common::random(seed));
        }
    }
}

fn rounded(maps: &Maps) -> Maps {
    let data = maps.data.iter().map(|x| bf16::from_f32(*x as f32).to_f64()).collect();
    Maps { shape: maps.shape, data }
}

/// Groups that fill blocks of channels, and groups that share them, which are multiplied as they are.
fn problem(rng: &mut ChaCha8Rng) -> (Conv, [usize; 4], [usize; 4]) {
    random_convolution(rng, 0.3, |rng| match rng.random_range(0..5) {
        0 => {
            let groups = rng.random_range(2..4);
            (groups, groups * 16 * rng.random_range(1..3), groups * 16)
        }
        1 => {
            let groups = one_of(rng, &[2, 3, 4]);
            (groups, groups * rng.random_range(1..9), groups * rng.random_range(1..9))
        }
        _ => (1, channels(rng), channels(rng)),
    })
}

fn direct(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let (conv, from, to) = problem(rng);
    let what = format!("{set} {conv:?} {from:?}");
    // Eighths have few enough digits; what they become by a view's map may not.
    let weights = many(rng, conv.weights());
    let laid: Vec<f32> = cast(&weights);
    let (input, gradient) = (Seen::<f32>::random(rng, from), Seen::<f32>::random(rng, to));
    let whole = [conv.in_channels, conv.out_channels].iter().all(|all| (all / conv.groups).is_multiple_of(16));
    let read = |seen: &Seen<f32>| if conv.groups == 1 || whole { rounded(&seen.maps) } else { seen.maps.clone() };
    let (x, g, how) = (read(&input), read(&gradient), Algorithm::DirectBf16);

    let mut expected = Maps::zeros(to);
    meetings(&conv, from, to, |i, o, w| expected.add(o, x.at(i) * weights[w]));
    check(rng, &expected, &format!("forward {what}"), |sink| conv.forward_by(how, set, &input.view(), &laid, sink));

    let mut expected = Maps::zeros(from);
    meetings(&conv, from, to, |i, o, w| expected.add(i, g.at(o) * weights[w]));
    let moments = conv.stride == [1, 1];
    check_sinks(rng, &expected, moments, &format!("backward {what}"), |sink| {
        conv.backward_input_by(how, set, &gradient.view(), &laid, sink);
    });

    let mut expected = vec![0.0; conv.weights()];
    meetings(&conv, from, to, |i, o, w| expected[w] += x.at(i) * g.at(o));
    let results = [1, 2, 3].map(|width| {
        let _threads = common::on_threads(width);
        let mut result = vec![f32::NAN; conv.weights()];
        conv.backward_weights_by(how, set, &input.view(), &gradient.view(), &mut result);
        result
    });
    all_close(&results[0], &expected, &format!("weights {what}"));
    assert!(results.iter().all(|result| *result == results[0]), "weights {what}");
}

#[test]
fn products_of_bf16_are_those_of_plain_loops_over_rounded_numbers() {
    on_sets(200, direct);
}

/// The root of the mean square.
fn size(values: impl Iterator<Item = f64> + Clone) -> f64 {
    (values.clone().map(|x| x * x).sum::<f64>() / values.count().max(1) as f64).sqrt()
}

/// Rounding transformed numbers costs about a hundredth of what a sum of random products comes to.
const WINOGRAD: f64 = 0.02;

fn winograd(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let taps = one_of(rng, &[3, 5]);
    let conv = Conv {
        in_channels: channels(rng),
        out_channels: channels(rng),
        groups: 1,
        kernel: [taps; 2],
        stride: [1; 2],
        padding: [rng.random_range(0..taps), rng.random_range(0..taps)],
        dilation: [1; 2],
    };
    let (batch, from) = (rng.random_range(1..6), [0, 1].map(|_| rng.random_range(taps..20)));
    let to = conv.output(from).expect("the kernel fits");
    let what = format!("{set} {conv:?} {batch} of {from:?}");
    let maps = |rng: &mut ChaCha8Rng, channels: usize, [height, width]: [usize; 2]| {
        let shape = [batch, channels, height, width];
        let data = (0..shape.iter().product()).map(|_| f64::from(rng.random_range(-1.0f32..1.0))).collect();
        Maps { shape, data }
    };
    let (x, g) = (maps(rng, conv.in_channels, from), maps(rng, conv.out_channels, to));
    let weights: Vec<f64> = (0..conv.weights()).map(|_| f64::from(rng.random_range(-1.0f32..1.0))).collect();
    let laid: Vec<f32> = cast(&weights);
    let blocks = |maps: &Maps| {
        let region = Region::new(batch, maps.shape[1], [maps.shape[2], maps.shape[3]]);
        let mut data = vec![0.0; region.len()];
        to_blocks(&cast::<f32>(&maps.data), &mut data, &region);
        (data, region)
    };
    let ((input, of_input), (gradient, of_gradient)) = (blocks(&x), blocks(&g));
    let (input, gradient) = (View::plain(&input, of_input), View::plain(&gradient, of_gradient));
    let how = Algorithm::WinogradBf16;

    let mut expected = [vec![0.0; g.data.len()], vec![0.0; x.data.len()], vec![0.0; weights.len()]];
    let place =
        |maps: &Maps, [n, c, y, x]: [usize; 4]| ((n * maps.shape[1] + c) * maps.shape[2] + y) * maps.shape[3] + x;
    meetings(&conv, x.shape, g.shape, |i, o, w| {
        expected[0][place(&g, o)] += x.at(i) * weights[w];
        expected[1][place(&x, i)] += g.at(o) * weights[w];
        expected[2][w] += x.at(i) * g.at(o);
    });
    let results = [1, 2, 3].map(|width| {
        let _threads = common::on_threads(width);
        let mut outputs = [&of_gradient, &of_input].map(|region| vec![f32::NAN; region.len()]);
        conv.forward_by(how, set, &input, &laid, Sink::store(&mut outputs[0], of_gradient));
        conv.backward_input_by(how, set, &gradient, &laid, Sink::store(&mut outputs[1], of_input));
        let mut sums = vec![f32::NAN; conv.weights()];
        conv.backward_weights_by(how, set, &input, &gradient, &mut sums);
        let [output, back] = [(&outputs[0], of_gradient), (&outputs[1], of_input)].map(|(blocks, region)| {
            let mut maps = vec![0.0; region.batch * region.channels * region.height * region.width];
            from_blocks(blocks, &region, &mut maps);
            maps
        });
        [output, back, sums]
    });
    assert!(results.iter().all(|result| *result == results[0]), "{what}: threads");
    // What a sum of as many products as meet at most comes to.
    let all = |maps: &Maps| size(maps.data.iter().copied());
    let (weight, per_tap) = (size(weights.iter().copied()), (taps * taps) as f64);
    let scales = [
        all(&x) * weight * (per_tap * conv.in_channels as f64).sqrt(),
        all(&g) * weight * (per_tap * conv.out_channels as f64).sqrt(),
        all(&x) * all(&g) * ((batch * to[0] * to[1]) as f64).sqrt(),
    ];
    for (pass, name) in ["forward", "backward", "weights"].into_iter().enumerate() {
        let errors = results[0][pass].iter().zip(&expected[pass]).map(|(is, should)| f64::from(*is) - should);
        let error = size(errors) / scales[pass];
        assert!(error < WINOGRAD, "{name} {what}: {error}");
    }
}

#[test]
fn winograd_of_bf16_is_near_the_definition() {
    on_sets(100, winograd);
}
