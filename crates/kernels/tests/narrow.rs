//! Narrow convolutions against plain loops over `f64`. The numbers are such that all sums are exact, so what is written
//! must be the same to the last bit on every instruction set.

use crate::common::narrow::{Number, arrived, finished, lay_narrow, mapped, random_map};
use crate::common::{
    Maps, channels, fewer, index, meetings, on_threads, one_of, random, random_convolution, region, sets,
};
use cnn_kernels::narrow::{Addend, Finish, ReadMap, Source, Target, Weights, bf16};
use cnn_kernels::{Conv, InstructionSet, LANES, Region};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A random convolution, and the shapes of its input and output.
fn problem(rng: &mut ChaCha8Rng) -> (Conv, [usize; 4], [usize; 4]) {
    random_convolution(rng, 0.3, |rng| match rng.random_range(0..6) {
        0 => {
            let channels = channels(rng);
            (channels, channels, channels * rng.random_range(1..3))
        }
        1 => {
            let groups = one_of(rng, &[1, 2, 3, 4, 8, 16]);
            (groups, groups * rng.random_range(1..9), groups * rng.random_range(1..9))
        }
        2 => (1, one_of(rng, &[64, 80, 112]), one_of(rng, &[64, 80, 100])),
        _ => (1, channels(rng), channels(rng)),
    })
}

/// The convolution of numbers as they are read, zero point taken off, as a plain loop.
fn sums(conv: &Conv, input: &Maps, weights: &[f64], output: [usize; 4]) -> Maps {
    let mut sums = Maps::zeros(output);
    meetings(conv, input.shape, output, |i, o, w| sums.add(o, input.at(i) * weights[w]));
    sums
}

fn convolution<F: Number>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let (conv, from, to) = problem(rng);
    let what = format!("{set} {conv:?} {from:?}");
    let own: Vec<F::Weight> = (0..conv.weights()).map(|_| F::random_weight(rng)).collect();
    let weights = F::pack(&conv, set, &own);
    let (packed, wholes) = weights.packed();
    assert!(Weights::<F>::from_packed(&conv, set, &packed[..packed.len() - 1], wholes).is_none());
    let weights = Weights::<F>::from_packed(&conv, set, packed, wholes).expect("as many as there are");
    let own: Vec<f64> = own.into_iter().map(F::weight_value).collect();

    let at = region(rng, from);
    let raw = F::maps(rng, from);
    let data = lay_narrow::<F>(rng, &at, &raw);
    let zero = F::zero(rng);
    let map = rng.random_bool(0.3).then(|| random_map::<F>(rng, &at));
    let read = mapped::<F>(&raw, map.as_ref());
    let mut real = read.clone();
    real.data.iter_mut().for_each(|x| *x -= zero.value());
    let expected = sums(&conv, &real, &own, to);

    let (scale, bias) = (F::scales(rng, to[1]), F::scales(rng, to[1]));
    let (scale, bias) = (rng.random_bool(0.6).then_some(&*scale), rng.random_bool(0.6).then_some(&*bias));
    let added = F::maps(rng, to);
    let added_at = region(rng, to);
    let added_data = lay_narrow::<F>(rng, &added_at, &added);
    let addend = rng.random_bool(0.4).then_some(Addend { data: &added_data, region: added_at, factor: 0.75 });
    let finish = Finish { scale, bias, addend, floor: rng.random_bool(0.4).then_some(0.25) };
    let expected = finished(&expected, &finish, &added);

    let source = |data| {
        let map = map.as_ref().map(|(scale, shift, floor)| ReadMap { scale, shift, floor: *floor });
        Source { data, region: at, zero, map }
    };
    let target = region(rng, to);
    let mut first = None;
    for width in [1, one_of(rng, &[2, 3])] {
        let _threads = on_threads(width);
        let mut workspace = vec![f32::NAN; weights.workspace(&at)];
        let old = F::maps(rng, to);
        let before = lay_narrow::<F>(rng, &target, &old);
        let mut narrow = before.clone();
        weights.convolve(source(&data), Target::Narrow(&mut narrow, target), &finish, &mut workspace);
        let mut wide = vec![f32::NAN; target.len()];
        weights.convolve(source(&data), Target::Wide(&mut wide, target), &finish, &mut workspace);
        arrived(&what, &target, &expected, [&before, &narrow], &wide);
        let bits: Vec<u32> = wide.iter().map(|x| x.to_bits()).collect();
        assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits, "{what}: with {width} threads");
    }
}

#[test]
fn convolutions_of_bf16_are_those_of_plain_loops() {
    for set in sets() {
        (0..fewer(200)).for_each(|seed| convolution::<bf16>(set, &mut random(seed)));
    }
}

#[test]
fn convolutions_of_8_bits_are_those_of_plain_loops() {
    for set in sets() {
        (0..fewer(200)).for_each(|seed| convolution::<u8>(set, &mut random(seed)));
    }
}

/// Numbers of all sizes: sums are rounded at every step, so they differ from the exact one by at most as many halves of the
/// last place of what is summed up as there are products and sums.
fn rounding(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let (conv, from, to) = problem(rng);
    let number = |rng: &mut ChaCha8Rng| rng.random_range(-1.0_f32..1.0) * 2.0_f32.powi(rng.random_range(-6..6));
    let own: Vec<f32> = (0..conv.weights()).map(|_| number(rng)).collect();
    let weights = Weights::<bf16>::new(&conv, set, &own);
    let own: Vec<f64> = own.into_iter().map(|x| bf16::from_f32(x).to_f64()).collect();
    let mut maps = Maps::zeros(from);
    maps.data.iter_mut().for_each(|x| *x = bf16::from_f32(number(rng)).to_f64());
    let (at, target) = (region(rng, from), region(rng, to));
    let data = lay_narrow::<bf16>(rng, &at, &maps);
    let expected = sums(&conv, &maps, &own, to);
    let absolute = |values: &[f64]| values.iter().map(|x| x.abs()).collect::<Vec<_>>();
    let sizes = sums(&conv, &Maps { data: absolute(&maps.data), ..maps.clone() }, &absolute(&own), to);
    let _threads = on_threads(one_of(rng, &[1, 2]));
    let mut workspace = vec![0.0; weights.workspace(&at)];
    let mut wide = vec![0.0; target.len()];
    let (source, ends) = (Source::plain(&data, at), Target::Wide(&mut wide, target));
    weights.convolve(source, ends, &Finish::default(), &mut workspace);
    let products = 2 * conv.weights() / conv.out_channels;
    for p in expected.each() {
        let away = (f64::from(wide[index(&target, p)]) - expected.at(p)).abs();
        let bound = (products + 1) as f64 * 2.0_f64.powi(-24) * sizes.at(p);
        assert!(away <= bound, "{set} {conv:?} at {p:?}: {away} away, more than {bound}");
    }
}

#[test]
fn sums_of_bf16_are_rounded_as_f32_is() {
    for set in sets() {
        (0..fewer(100)).for_each(|seed| rounding(set, &mut random(seed)));
    }
}

/// An image alone gives what it gives among others, and every instruction set gives the same 8-bit numbers.
#[test]
fn images_do_not_depend_on_each_other_nor_8_bits_on_the_cpu() {
    let _threads = on_threads(2);
    for (size, channels, kernel) in [([7, 7], 512, 3), ([2, 3], 48, 3), ([1, 1], 300, 1), ([14, 14], 64, 1)] {
        let mut common: Option<Vec<u8>> = None;
        for set in sets() {
            let all = alone_and_among::<bf16>(set, size, channels, kernel);
            drop(all);
            let bytes = alone_and_among::<u8>(set, size, channels, kernel);
            assert_eq!(common.get_or_insert_with(|| bytes.clone()), &bytes, "{set}");
        }
    }
}

fn alone_and_among<F: Number>(set: InstructionSet, size: [usize; 2], channels: usize, kernel: usize) -> Vec<F> {
    let rng = &mut random(7);
    let conv = Conv {
        in_channels: channels,
        out_channels: 40,
        groups: 1,
        kernel: [kernel; 2],
        stride: [1, 1],
        padding: [kernel / 2; 2],
        dilation: [1, 1],
    };
    let own: Vec<F::Weight> = (0..conv.weights()).map(|_| F::random_weight(rng)).collect();
    let weights = F::pack(&conv, set, &own);
    let region = Region::new(5, channels, size);
    let maps = F::maps(rng, [5, channels, size[0], size[1]]);
    let data = lay_narrow::<F>(rng, &region, &maps);
    let scale: Vec<f32> = (0..40).map(|_| rng.random_range(0.0001..0.01)).collect();
    let finish = Finish { scale: Some(&scale), ..Finish::default() };
    let convolve = |data: &[F], batch: usize| {
        let (from, to) = (Region { batch, ..region }, Region::new(batch, 40, size));
        let mut result = vec![F::default(); to.len()];
        let mut workspace = vec![0.0; weights.workspace(&from)];
        weights.convolve(Source::plain(data, from), Target::Narrow(&mut result, to), &finish, &mut workspace);
        result
    };
    let together = convolve(&data, 5);
    let image = region.blocks() * region.pixels() * LANES;
    let one_by_one: Vec<F> = data.chunks_exact(image).flat_map(|image| convolve(image, 1)).collect();
    assert_eq!(together, one_by_one, "{set}");
    together
}

#[cfg(panic = "unwind")]
#[test]
fn misuse_is_refused() {
    // The workspace is one for the threads that are set.
    let _threads = on_threads(2);
    let conv = Conv {
        in_channels: 16,
        out_channels: 16,
        groups: 1,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
    };
    let weights = Weights::<u8>::new(&conv, InstructionSet::chosen(), &vec![1; conv.weights()]);
    let region = Region::new(1, 16, [8, 8]);
    let run = |source: Region, target: Region, lengths: [usize; 3], entries: usize| {
        std::panic::catch_unwind(|| {
            let (data, scale) = (vec![1; lengths[0]], vec![1.0; entries]);
            let (mut to, mut workspace) = (vec![0; lengths[1]], vec![0.0; lengths[2]]);
            let finish = Finish { scale: Some(&scale), ..Finish::default() };
            weights.convolve(Source::plain(&data, source), Target::Narrow(&mut to, target), &finish, &mut workspace);
        })
        .is_err()
    };
    let (length, needed) = (region.len(), weights.workspace(&region));
    assert!(!run(region, region, [length, length, needed], 16));
    assert!(run(region, region, [length - 1, length, needed], 16));
    assert!(run(region, region, [length, length - 1, needed], 16));
    assert!(run(region, region, [length, length, 10], 16));
    assert!(run(region, region, [length, length, needed], 15));
    assert!(run(region, Region::new(1, 16, [8, 7]), [length, length, needed], 16));
    assert!(run(Region::new(1, 17, [8, 8]), region, [2 * length, length, needed], 16));
    let one_by_one = Conv { kernel: [1, 1], padding: [0, 0], ..conv };
    assert!(Weights::<u8>::fits(&Conv { in_channels: 65_793, ..one_by_one }));
    assert!(!Weights::<u8>::fits(&Conv { in_channels: 65_794, ..one_by_one }));
    assert!(!Weights::<u8>::fits(&Conv { in_channels: 1 << 20, ..conv }));
    // The functions behind the public ones refuse what they do.
    assert!(unchecked(&weights, region, length - 1));
    assert!(!unchecked(&weights, region, length));
    let (short, few) = (Weights::<bf16>::new(&one_by_one, InstructionSet::chosen(), &[0.5; 256]), region.len() - 16);
    assert!(unchecked(&short, region, few));
    let short = std::panic::catch_unwind(|| Weights::<bf16>::new(&conv, InstructionSet::Portable, &[1.0; 5]));
    assert!(short.is_err());
}

/// Whether a convolution of so many numbers is refused, asked for behind the public function.
#[cfg(panic = "unwind")]
fn unchecked<F: cnn_kernels::narrow::Format>(weights: &Weights<F>, region: Region, numbers: usize) -> bool {
    let run = || {
        let (data, mut to) = (vec![F::default(); numbers], vec![F::default(); region.len()]);
        let mut workspace = vec![0.0; weights.workspace(&region)];
        let target = Target::Narrow(&mut to, region);
        F::conv_run(weights, Source::plain(&data, region), target, &Finish::default(), &mut workspace);
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err()
}

/// The largest sums there may be, with and without a zero point.
#[test]
fn sums_of_8_bits_fit_32_bits_up_to_the_last_product() {
    let _threads = on_threads(1);
    let channels = 65_793;
    let one = [1, 1];
    let conv = Conv {
        in_channels: channels,
        out_channels: 1,
        groups: 1,
        kernel: one,
        stride: one,
        padding: [0, 0],
        dilation: one,
    };
    let (from, to) = (Region::new(1, channels, one), Region::new(1, 1, one));
    for set in sets() {
        let weights = Weights::<u8>::new(&conv, set, &vec![-128; channels]);
        for (number, zero, expected) in [(255, 0, -2_147_483_520.0), (0, 255, 2_147_483_520.0), (255, 255, 0.0)] {
            let (data, mut found) = (vec![number; from.len()], vec![0.0; to.len()]);
            let mut workspace = vec![0.0; weights.workspace(&from)];
            let source = Source { zero, ..Source::plain(&data, from) };
            weights.convolve(source, Target::Wide(&mut found, to), &Finish::default(), &mut workspace);
            assert_eq!(found[0], expected, "{set}: {number} less {zero}");
        }
    }
}
