//! No step of a program reads or writes beside the memory it is given: images, weights, values and scratch memory each end at
//! a page that may not be touched, or begin behind one.

#![cfg(all(unix, not(miri)))]

use crate::common::guarded::{Guarded, Side};
use crate::common::narrow::Number as Narrow;
use crate::common::{channels, fewer, on_threads, one_of, random, random_convolution, sets};
use cnn_kernels::inference::{
    Affine, Builder, Choice, ConvAlgorithm, Convolution, Filters, Finish, Input, LinearLayer, Memory, NarrowStep,
    NarrowWork, Number, Numbers, Packed, Place, Refused, Step, Tensors, Workspace, gathered_len, takes_images,
    transformed_len,
};
use cnn_kernels::narrow::{Format, Pool, Requantisation, bf16};
use cnn_kernels::pool::{Average, Max};
use cnn_kernels::{Conv, InstructionSet, LANES};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Threads of a run.
const THREADS: usize = 2;
/// Channels, height and width.
type Shape = (usize, [usize; 2]);

/// Where the values of a program lie: one behind the other, in any order.
struct Layout {
    places: Vec<Place>,
    /// Where the memory of a step begins.
    own: usize,
    end: usize,
}

impl Layout {
    fn random(rng: &mut ChaCha8Rng, values: &[(Shape, Number)], own: usize) -> Self {
        let places = values.iter().map(|((channels, size), number)| {
            let store_blocks = channels.div_ceil(LANES);
            Place {
                alone: false,
                offset: 0,
                channels: *channels,
                size: *size,
                first_block: 0,
                store_blocks,
                number: *number,
            }
        });
        let mut layout = Self { places: places.collect(), own: 0, end: 0 };
        let mut order: Vec<usize> = (0..=values.len()).collect();
        for at in 0..order.len() {
            let other = rng.random_range(at..order.len());
            order.swap(at, other);
        }
        for number in order {
            let length = layout.places.get(number).map_or(own, Place::store_len).next_multiple_of(LANES);
            match layout.places.get_mut(number) {
                Some(place) => place.offset = layout.end,
                None => layout.own = layout.end,
            }
            layout.end += length;
        }
        layout
    }
}

fn numbers(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// What is done to a value's numbers, or nothing.
fn map(rng: &mut ChaCha8Rng, channels: usize) -> Option<Arc<Affine>> {
    let padded = channels.next_multiple_of(LANES);
    let entries = |value: f32| {
        let mut entries = vec![value; channels];
        entries.resize(padded, 0.0);
        entries
    };
    rng.random_bool(0.3).then(|| Arc::new(Affine { scale: entries(0.5), shift: entries(1.0), floor: entries(0.0) }))
}

/// The same numbers in guarded memory.
fn held(numbers: &Numbers, side: Side) -> Numbers {
    let guarded = Guarded::new(numbers.get(), side);
    Numbers::Shared(Arc::new(guarded), 0..numbers.get().len())
}

/// Builds a program of some steps, those with weights of `tensors`, and runs it twice in guarded memory.
fn run(
    set: InstructionSet,
    rng: &mut ChaCha8Rng,
    (image, layout): (usize, &Layout),
    steps: Vec<Step>,
    [weights, outs]: [usize; 2],
) -> Result<(), Refused> {
    let side = one_of(rng, &[Side::Start, Side::End]);
    let mut builder = Builder::new(set, image, [0, layout.end]);
    for step in steps {
        let mut packed = None;
        if builder.packed_lens(&step).is_some() {
            let [weights, factors, bias] = [weights, outs, outs].map(|count| numbers(rng, count));
            let own = builder.pack(&step, Tensors { weights: &weights, factors: &factors, bias: &bias })?;
            packed = Some(Packed { weights: held(&own.weights, side), bias: held(&own.bias, side) });
        }
        builder.push(step, packed)?;
    }
    let program = builder.build()?;
    let most = one_of(rng, &[1, 2, 5]);
    let lens = Workspace::lens(&program, most, THREADS).expect("sizes of a test");
    let memory = lens.map(|len| -> Box<dyn Memory> { Box::new(Guarded::new(&vec![f32::NAN; len], side)) });
    let mut workspace = Workspace::over(&program, most, THREADS, memory);
    for batch in [most, 1] {
        let images = Guarded::new(&numbers(rng, batch * image), side);
        program.run(&mut workspace, &images);
        for place in layout.places.iter().filter(|place| place.number == Number::F32) {
            let mut found = vec![f32::NAN; batch * place.channels * place.pixels()];
            program.read(&workspace, place, batch, &mut found);
            assert!(found.iter().all(|x| x.is_finite()), "{set}: not all of {place:?} is written");
        }
    }
    Ok(())
}

/// A convolution, and the sizes of what it reads and writes.
fn convolution(rng: &mut ChaCha8Rng) -> (Conv, Shape, Shape) {
    loop {
        let (conv, from, to) = random_convolution(rng, 0.2, |rng| match rng.random_range(0..3) {
            0 => (1, rng.random_range(1..5), channels(rng)),
            1 => (1, channels(rng), channels(rng)),
            _ => (2, 2 * rng.random_range(1..20), 2 * rng.random_range(1..20)),
        });
        if from[2] * from[3] > 0 {
            return (conv, (from[1], [from[2], from[3]]), (to[1], [to[2], to[3]]));
        }
    }
}

fn convolutions(set: InstructionSet, rng: &mut ChaCha8Rng) -> Result<(), Refused> {
    let (mut conv, mut from, mut to) = convolution(rng);
    if rng.random_bool(0.5) {
        // As Winograd's algorithms compute them.
        let kernel = one_of(rng, &[[3, 3], [5, 5], [1, 3], [7, 1]]);
        let size = [rng.random_range(1..40), rng.random_range(1..40)];
        conv =
            Conv { groups: 1, kernel, stride: [1, 1], padding: kernel.map(|taps| taps / 2), dilation: [1, 1], ..conv };
        (from, to) = ((conv.in_channels, size), (conv.out_channels, size));
    }
    let suits: Vec<_> = ConvAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.suits(&conv)).collect();
    let algorithm = one_of(rng, &suits);
    let filters = match algorithm {
        ConvAlgorithm::Direct => Filters::Transformed,
        _ => one_of(rng, &[Filters::Transformed, Filters::Plain]),
    };
    let choice = Choice { algorithm, filters };
    let own = transformed_len(&conv, to.1, choice);
    let layout = Layout::random(rng, &[(from, Number::F32), (to, Number::F32), (to, Number::F32)], own);
    let images = || Input::Images { channels: from.0, size: from.1, map: None };
    let [first, second, third] = [layout.places[0], layout.places[1], layout.places[2]];
    let as_they_come = choice == Choice::DIRECT && takes_images(&conv) && rng.random_bool(0.7);
    let step = |input, output, residual| {
        let (finish, transformed) = (Finish { residual, relu: residual.is_some() }, layout.own);
        Step::Convolution(Convolution { input, output, conv, choice, finish, transformed, alone: false })
    };
    let value = Input::Value { place: first, map: map(rng, from.0) };
    let input = if as_they_come { images() } else { value.clone() };
    let steps = vec![
        Step::Sum { inputs: vec![images()], output: first, relu: false },
        step(input, second, None),
        step(value, third, Some(second)),
    ];
    let image = from.0 * from.1[0] * from.1[1];
    run(set, rng, (image, &layout), steps, [conv.weights(), conv.out_channels])
}

fn pair(rng: &mut ChaCha8Rng, values: &[usize]) -> [usize; 2] {
    [one_of(rng, values), one_of(rng, values)]
}

fn shape(rng: &mut ChaCha8Rng) -> Shape {
    (channels(rng), [rng.random_range(1..20), rng.random_range(1..40)])
}

/// A pool whose every window holds something, and the size of what it gives.
fn maximum(rng: &mut ChaCha8Rng, size: [usize; 2]) -> (Max, [usize; 2]) {
    let (stride, padding) = (pair(rng, &[1, 2, 3]), one_of(rng, &[0, 1]));
    let dilation = if padding == 0 { pair(rng, &[1, 2]) } else { [1, 1] };
    let max = Max { kernel: [padding + 1, 2 + padding], stride, padding: [padding; 2], dilation };
    (max, [0, 1].map(|axis| size[axis].div_ceil(stride[axis])))
}

fn others(set: InstructionSet, rng: &mut ChaCha8Rng) -> Result<(), Refused> {
    let (channels, size) = shape(rng);
    let (max, pooled) = maximum(rng, size);
    let (outs, one) = (rng.random_range(1..50), [1, 1]);
    let shapes = [(channels, size), (channels, pooled), (channels, one), (outs, one), (channels, size)];
    let layout = Layout::random(rng, &shapes.map(|shape| (shape, Number::F32)), gathered_len(channels, size));
    let [first, second, third, fourth, sum] = [0, 1, 2, 3, 4].map(|number| layout.places[number]);
    let value = |place, map| Input::Value { place, map };
    let images = Input::Images { channels, size, map: None };
    let (input, average, gathered) = (first, Average::global(pooled), layout.own);
    let steps = vec![
        Step::Sum { inputs: vec![images.clone()], output: first, relu: false },
        Step::MaxPool { max, input: value(first, map(rng, channels)), output: second },
        Step::AveragePool { average, input: value(second, map(rng, channels)), output: third },
        Step::Linear(LinearLayer {
            input,
            map: map(rng, channels),
            output: fourth,
            finish: Finish::default(),
            gathered,
        }),
        Step::Sum { inputs: vec![value(first, map(rng, channels)), images], output: sum, relu: true },
    ];
    let image = channels * size[0] * size[1];
    run(set, rng, (image, &layout), steps, [outs * image, outs])
}

fn narrow<F: Narrow>(set: InstructionSet, rng: &mut ChaCha8Rng) -> Result<(), Refused> {
    let (conv, from, to) = convolution(rng);
    let (max, pooled) = maximum(rng, to.1);
    let own = <F as Format>::NUMBER;
    let last = (to.0, pooled);
    let shapes = [(from, own), (to, own), (to, own), (last, own), (to, Number::F32), (last, Number::F32)];
    let layout = Layout::random(rng, &shapes, 0);
    let weights: Vec<F::Weight> = (0..conv.weights()).map(|_| F::random_weight(rng)).collect();
    let weights = F::pack(&conv, set, &weights);
    let pool = Pool::max(&max, to.1, pooled).expect("no extent is 0");
    let step = |work, input: Input, output: Place, addend: Option<Place>| {
        let channels = output.channels;
        let finish =
            Requantisation { scale: vec![0.01; channels], bias: vec![1.0; channels], factor: 0.5, floor: Some(0.0) };
        Step::from(NarrowStep::<F> { work, input, zero: F::default(), output, addend, finish })
    };
    let at = |number: usize| layout.places[number];
    let value = |number: usize| Input::Value { place: at(number), map: None };
    let mapped = Input::Value { place: at(0), map: map(rng, from.0) };
    let steps = vec![
        step(NarrowWork::Transfer, Input::Images { channels: from.0, size: from.1, map: None }, at(0), None),
        step(NarrowWork::Convolution(weights.clone()), mapped, at(1), None),
        step(NarrowWork::Convolution(weights.clone()), value(0), at(2), Some(at(1))),
        step(NarrowWork::Pool(pool.clone()), value(2), at(3), None),
        step(NarrowWork::Convolution(weights), value(0), at(4), Some(at(1))),
        step(NarrowWork::Pool(pool), value(2), at(5), Some(at(3))),
    ];
    run(set, rng, (from.0 * from.1[0] * from.1[1], &layout), steps, [0, 0])
}

#[test]
fn programs_stay_within_their_memory() -> Result<(), Refused> {
    let _threads = on_threads(THREADS);
    for set in sets() {
        for seed in 0..fewer(60) {
            convolutions(set, &mut random(seed))?;
            others(set, &mut random(seed))?;
            narrow::<bf16>(set, &mut random(seed))?;
            narrow::<u8>(set, &mut random(seed))?;
        }
    }
    Ok(())
}
