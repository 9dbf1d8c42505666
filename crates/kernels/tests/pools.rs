//! Pools against plain loops.

use crate::common::{Kind, Maps, Seen, batch, cast, channels, check, fewer, index, lay, one_of, random, sets, size};
use cnn_kernels::inference::{Builder, Input, Number, Place, Refused, Step, Workspace};
use cnn_kernels::narrow::{Finish, Pool, Source, Target, bf16};
use cnn_kernels::pool::{Average, Max, Span};
use cnn_kernels::{Arrival, Element, InstructionSet, LANES, Pull, Region, Sink, View};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Number of windows along an axis: any from none to some beyond the far edge.
fn windows(rng: &mut ChaCha8Rng, length: usize, stride: usize, padding: usize) -> usize {
    let most = (length + 2 * padding).div_ceil(stride);
    if rng.random_bool(0.8) { most.saturating_sub(rng.random_range(0..2)) } else { rng.random_range(0..=most + 1) }
}

/// The first maximum of a window; NaN is one, the last of them.
fn winner(max: &Max, maps: &Maps, [n, c, row, column]: [usize; 4]) -> (f64, Option<[usize; 4]>) {
    let mut best = (f64::NEG_INFINITY, None);
    for ky in 0..max.kernel[0] {
        for kx in 0..max.kernel[1] {
            let y = (row * max.stride[0] + ky * max.dilation[0]).wrapping_sub(max.padding[0]);
            let x = (column * max.stride[1] + kx * max.dilation[1]).wrapping_sub(max.padding[1]);
            if y < maps.shape[2] && x < maps.shape[3] {
                let value = maps.at([n, c, y, x]);
                if value > best.0 || value.is_nan() || best.1.is_none() {
                    best = (value, Some([n, c, y, x]));
                }
            }
        }
    }
    best
}

fn maxima<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let pair = |rng: &mut ChaCha8Rng, values: &[usize]| [one_of(rng, values), one_of(rng, values)];
    let max = Max {
        kernel: if rng.random_bool(0.05) {
            one_of(rng, &[[16, 16], [2, 0], [0, 3]])
        } else {
            pair(rng, &[1, 2, 3, 3, 5])
        },
        stride: pair(rng, &[1, 2, 2, 3]),
        padding: pair(rng, &[0, 0, 1, 2, 4]),
        dilation: pair(rng, &[1, 1, 1, 2, 3]),
    };
    let (batch, channels, [height, width]) = (batch(rng), channels(rng), size(rng));
    let from = [batch, channels, height, width];
    let rows = windows(rng, height, max.stride[0], max.padding[0]);
    let columns = windows(rng, width, max.stride[1], max.padding[1]);
    let to = [batch, channels, rows, columns];
    let what = format!("{set} {max:?} {from:?} {to:?}");
    let (input, gradient) = (Seen::<T>::random(rng, from), Seen::<T>::random(rng, to));

    let (mut expected, mut back) = (Maps::zeros(to), Maps::zeros(from));
    for p in expected.each() {
        let (value, at) = winner(&max, &input.maps, p);
        expected.set(p, value);
        let at_floor = matches!(&input.kind, Kind::Affine([.., floor]) if value <= floor[p[1]].to_f64());
        if let Some(at) = at.filter(|_| !(at_floor && max.knows_floors())) {
            back.add(at, gradient.maps.at(p));
        }
    }
    let mut winners = vec![0xff; Region::new(batch, channels, [rows, columns]).len()];
    // Sums of what is −∞ say nothing.
    let plain = expected.data.iter().any(|x| x.is_infinite());
    if plain {
        let region = Region::new(batch, channels, [rows, columns]);
        let mut data = vec![T::NAN; region.len()];
        max.forward(set, &input.view(), Sink::store(&mut data, region), &mut winners);
        expected.each().for_each(|p| assert_eq!(data[index(&region, p)].to_f64(), expected.at(p), "{what} {p:?}"));
        assert!(!data.iter().any(|x| x.to_f64().is_nan()), "{what}");
        let infinite = |values: &[f64]| values.iter().filter(|x| x.is_infinite()).count();
        let all: Vec<_> = data.iter().map(|x| x.to_f64()).collect();
        assert_eq!(infinite(&all), infinite(&expected.data), "{what}: padding");
    } else {
        check(rng, &expected, &what, |sink| max.forward(set, &input.view(), sink, &mut winners));
    }
    check(rng, &back, &format!("backward {what}"), |sink| max.backward(set, &gradient.view(), &winners, sink));
}

/// NaN is a maximum, −∞ is one where there is nothing else.
fn strange_maxima<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let max = Max { kernel: [3, 2], stride: [1, 2], padding: [1, 1], dilation: [1, 1] };
    let shape = [1, channels(rng), 6, 5];
    let mut maps = Maps::random(rng, shape);
    for p in maps.each() {
        if rng.random_bool(0.6) {
            maps.set(p, one_of(rng, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY]));
        }
    }
    let (from, to) = (Region::new(1, shape[1], [6, 5]), Region::new(1, shape[1], [6, 3]));
    let data: Vec<T> = lay(&from, &maps);
    let (mut results, mut winners) = (vec![T::ZERO; to.len()], vec![0; to.len()]);
    max.forward(set, &View::plain(&data, from), Sink::store(&mut results, to), &mut winners);
    let gradient = Maps::random(rng, [1, shape[1], 6, 3]);
    let mut back = Maps::zeros(shape);
    for p in gradient.each() {
        let (value, at) = winner(&max, &maps, p);
        let is = results[index(&to, p)].to_f64();
        assert!(is == value || is.is_nan() && value.is_nan(), "{set} {p:?}: {is}, not {value}");
        back.add(at.expect("every window has a tap inside"), gradient.at(p));
    }
    let gradient: Vec<T> = lay(&to, &gradient);
    check(rng, &back, "backward", |sink| max.backward(set, &View::plain(&gradient, to), &winners, sink));
}

/// The same of narrow maps, and in a program.
fn strange_maxima_elsewhere(set: InstructionSet, rng: &mut ChaCha8Rng) -> Result<(), Refused> {
    let max = Max { kernel: [3, 2], stride: [1, 2], padding: [1, 1], dilation: [1, 1] };
    let shape = [2, channels(rng), 6, 5];
    let mut maps = Maps::random(rng, shape);
    for p in maps.each() {
        if rng.random_bool(0.4) {
            maps.set(p, one_of(rng, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY]));
        }
    }
    let (from, to) = (Region::new(2, shape[1], [6, 5]), Region::new(2, shape[1], [6, 3]));
    let expected = Maps::zeros([2, shape[1], 6, 3]);
    let hold = |what: &str, results: &dyn Fn([usize; 4]) -> f64| {
        for p in expected.each() {
            let ((value, _), is) = (winner(&max, &maps, p), results(p));
            assert!(is == value || is.is_nan() && value.is_nan(), "{set} {what} {p:?}: {is}, not {value}");
        }
    };
    let halves: Vec<bf16> = lay::<f32>(&from, &maps).into_iter().map(bf16::from_f32).collect();
    let (mut narrow, mut wide) = (vec![bf16::ONE; to.len()], vec![1.0; to.len()]);
    let pool = Pool::max(&max, [6, 5], [6, 3]).expect("no extent is 0");
    for target in [Target::Narrow(&mut narrow, to), Target::Wide(&mut wide, to)] {
        pool.run(set, Source::plain(&halves, from), target, &Finish::default());
    }
    hold("bf16", &|p| narrow[index(&to, p)].to_f64());
    hold("bf16 to f32", &|p| f64::from(wide[index(&to, p)]));

    let place = |offset, size| Place {
        alone: false,
        offset,
        channels: shape[1],
        size,
        first_block: 0,
        store_blocks: shape[1].div_ceil(LANES),
        number: Number::F32,
    };
    let first = place(0, [6, 5]);
    let second = place(first.store_len(), [6, 3]);
    let images = Input::Images { channels: shape[1], size: [6, 5], map: None };
    let mut builder = Builder::new(set, shape[1] * 30, [0, first.store_len() + second.store_len()]);
    builder.push(Step::Sum { inputs: vec![images], output: first, relu: false }, None)?;
    builder.push(Step::MaxPool { max, input: Input::Value { place: first, map: None }, output: second }, None)?;
    let program = builder.build()?;
    let mut workspace = Workspace::new(&program, 2).expect("there is memory");
    program.run(&mut workspace, &cast::<f32>(&maps.data));
    let mut found = Maps::zeros(expected.shape);
    let mut numbers = vec![0.0; found.data.len()];
    program.read(&workspace, &second, 2, &mut numbers);
    found.data = numbers.into_iter().map(f64::from).collect();
    hold("in a program", &|p| found.at(p));
    Ok(())
}

/// Winners that tell of a floor stop the bits of a gradient that a look at the input stops.
fn floors<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let max = Max { kernel: [3, 2], stride: [one_of(rng, &[1, 2, 3]), 2], padding: [1, 0], dilation: [1, 1] };
    let (shape, windows) = ([batch(rng), channels(rng), 7, 8], [3, 4]);
    let seen = loop {
        let seen = Seen::<T>::random(rng, shape);
        if matches!(&seen.kind, Kind::Affine([.., floor]) if floor[0] == T::ZERO) {
            break seen;
        }
    };
    let Kind::Affine([scale, ..]) = &seen.kind else { return };
    let (from, to) = (Region::new(shape[0], shape[1], [7, 8]), Region::new(shape[0], shape[1], windows));
    let gradient: Vec<T> = lay(&to, &Maps::random(rng, [shape[0], shape[1], windows[0], windows[1]]));
    let values: Vec<T> = lay(&from, &seen.maps);
    let run = |input: View<'_, T>, through: Option<View<'_, T>>| {
        let (mut results, mut winners) = (vec![T::NAN; to.len()], vec![0; to.len()]);
        max.forward(set, &input, Sink::store(&mut results, to), &mut winners);
        let mut back = vec![T::NAN; from.len()];
        let pull =
            Pull { data: &mut back, region: from, arrival: Arrival::Replace, factor: Some(scale), through, sums: None };
        max.backward(set, &View::plain(&gradient, to), &winners, Sink::Pull(pull));
        results.iter().chain(&back).map(|x| x.to_f64().to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(run(seen.view(), None), run(View::plain(&values, from), Some(seen.view())), "{set} {max:?} {shape:?}");
}

fn spans(rng: &mut ChaCha8Rng, length: usize) -> Vec<Span> {
    match rng.random_range(0..4) {
        0 => Average::global([length, 1]).spans[0].clone(),
        1 => {
            let count = rng.random_range(1..6);
            let adaptive = |o: usize| (o * length / count, ((o + 1) * length).div_ceil(count));
            (0..count).map(adaptive).map(|(start, end)| Span { start, end, divisor: end - start }).collect()
        }
        _ => {
            let (kernel, stride, padding) =
                (one_of(rng, &[1, 2, 3, 5]), one_of(rng, &[1, 2, 3]), one_of(rng, &[0, 1, 2]));
            let padded = rng.random_bool(0.5);
            let span = |o: usize| {
                let start = (o * stride) as isize - padding as isize;
                let end = (start + kernel as isize).min((length + padding) as isize);
                let [first, last] = [start, end].map(|at| at.clamp(0, length as isize) as usize);
                let divisor = if padded { (end - start).max(0) as usize } else { last - first };
                Span { start: first, end: last, divisor }
            };
            (0..windows(rng, length, stride, padding)).map(span).collect()
        }
    }
}

fn averages<T: Element>(set: InstructionSet, rng: &mut ChaCha8Rng) {
    let (batch, channels, [height, width]) = (batch(rng), channels(rng), size(rng));
    let average = match rng.random_bool(0.2) {
        true => Average::global([height, width]),
        false => Average { spans: [spans(rng, height), spans(rng, width)] },
    };
    let from = [batch, channels, height, width];
    let to = [batch, channels, average.spans[0].len(), average.spans[1].len()];
    let what = format!("{set} {average:?} {from:?}");
    let (input, gradient) = (Seen::<T>::random(rng, from), Seen::<T>::random(rng, to));
    let (mut forward, mut backward) = (Maps::zeros(to), Maps::zeros(from));
    for p in forward.each() {
        let (down, right) = (average.spans[0][p[2]], average.spans[1][p[3]]);
        let divisor = (down.divisor * right.divisor) as f64;
        for y in down.start..down.end {
            for x in right.start..right.end {
                forward.add(p, input.maps.at([p[0], p[1], y, x]) / divisor);
                backward.add([p[0], p[1], y, x], gradient.maps.at(p) / divisor);
            }
        }
    }
    check(rng, &forward, &what, |sink| average.forward(set, &input.view(), sink));
    check(rng, &backward, &format!("backward {what}"), |sink| average.backward(set, &gradient.view(), sink));
}

#[test]
fn maxima_are_those_of_plain_loops() {
    on_all!(300, maxima);
}

#[test]
fn maxima_of_strange_numbers() {
    on_all!(50, strange_maxima);
}

#[test]
fn maxima_of_strange_numbers_elsewhere() -> Result<(), Refused> {
    for set in sets() {
        (0..fewer(50)).try_for_each(|seed| strange_maxima_elsewhere(set, &mut random(seed)))?;
    }
    Ok(())
}

#[test]
fn winners_tell_of_floors() {
    on_all!(100, floors);
}

#[test]
fn averages_are_those_of_plain_loops() {
    on_all!(300, averages);
}
