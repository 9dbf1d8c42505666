//! A program put together by hand: held against plain loops, allocating nothing, and refusing what does not fit.

#[path = "common/fewer.rs"]
mod fewer;

use cnn_kernels::inference::{
    Affine, Builder, Choice, ConvAlgorithm, Convolution, Filters, Finish, Input, LinearLayer, NarrowStep, NarrowWork,
    Number, Place, Program, Step, Tensors, Workspace, gathered_len, transformed_len,
};
#[cfg(not(target_arch = "wasm32"))]
use cnn_kernels::narrow::bf16;
use cnn_kernels::narrow::{Pool, Requantisation, Weights};
use cnn_kernels::pool::{Average, Max, Span};
use cnn_kernels::{Conv, InstructionSet};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

/// Counts what a thread allocates.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator, and a count beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Images of 3 channels.
const SIZE: usize = 19;

fn conv(ins: usize, outs: usize, kernel: usize) -> Conv {
    Conv {
        in_channels: ins,
        out_channels: outs,
        groups: 1,
        kernel: [kernel; 2],
        stride: [1; 2],
        padding: [kernel / 2; 2],
        dilation: [1; 2],
    }
}

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919 + seed * 131) % 127) as f32 / 64.0 - 1.0).collect()
}

/// What the steps are made of.
struct Layers {
    stem: Vec<f32>,
    second: Vec<f32>,
    scores: Vec<f32>,
}

fn layers() -> Layers {
    Layers { stem: numbers(20 * 27, 1), second: numbers(20 * 20 * 9, 2), scores: numbers(7 * 20, 3) }
}

/// Every way to compute a convolution.
fn choices(conv: &Conv) -> Vec<Choice> {
    let suits = ConvAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.suits(conv));
    let both = |algorithm| [Filters::Transformed, Filters::Plain].map(|filters| Choice { algorithm, filters });
    suits
        .flat_map(both)
        .filter(|choice| choice.algorithm != ConvAlgorithm::Direct || *choice == Choice::DIRECT)
        .collect()
}

/// Two convolutions, the second with a sum, pools and a linear layer; and the place of the scores.
fn program(set: InstructionSet, choice: Choice) -> Result<(Program, Place), Box<dyn std::error::Error>> {
    let mut end = 0;
    let mut room = |numbers: usize| {
        end += numbers.next_multiple_of(16);
        end - numbers.next_multiple_of(16)
    };
    let mut place = |channels: usize, size: usize| {
        let blocks = channels.div_ceil(16);
        let offset = room(blocks * size * size * 16);
        Place {
            alone: false,
            offset,
            channels,
            size: [size; 2],
            first_block: 0,
            store_blocks: blocks,
            number: Number::F32,
        }
    };
    let (first, second, small, mean, scores) =
        (place(20, SIZE), place(20, SIZE), place(20, 9), place(20, 1), place(7, 1));
    let transformed = room(transformed_len(&conv(20, 20, 3), [SIZE; 2], choice));
    let gathered = room(gathered_len(20, [1; 2]));
    let value = |place: Place| Input::Value { place, map: None };
    let images = Input::Images { channels: 3, size: [SIZE; 2], map: None };
    let convolution = |input, output, conv, choice, residual| {
        let finish = Finish { residual, relu: true };
        Step::Convolution(Convolution { input, output, conv, choice, finish, transformed, alone: false })
    };
    let max = Max { kernel: [3; 2], stride: [2; 2], padding: [0; 2], dilation: [1; 2] };
    let steps = [
        (convolution(images, first, conv(3, 20, 3), Choice::DIRECT, None), Some((layers().stem, 20))),
        (convolution(value(first), second, conv(20, 20, 3), choice, Some(first)), Some((layers().second, 20))),
        (Step::MaxPool { max, input: value(second), output: small }, None),
        (Step::AveragePool { average: Average::global([9; 2]), input: value(small), output: mean }, None),
        (
            Step::Linear(LinearLayer { input: mean, map: None, output: scores, finish: Finish::default(), gathered }),
            Some((layers().scores, 7)),
        ),
    ];
    let mut builder = Builder::new(set, 3 * SIZE * SIZE, [0, end]);
    for (step, weights) in steps {
        let packed = weights
            .map(|(weights, outs)| {
                let (factors, bias) = (vec![0.5; outs], numbers(outs, 9));
                builder.pack(&step, Tensors { weights: &weights, factors: &factors, bias: &bias })
            })
            .transpose()?;
        builder.push(step, packed)?;
    }
    Ok((builder.build()?, scores))
}

/// A convolution of 3×3 to twenty channels, with its factors and its bias, by plain loops over f64.
fn convolved(input: &[f64], ins: usize, weights: &[f32]) -> Vec<f64> {
    let bias = numbers(20, 9);
    let mut output = vec![0.0; 20 * SIZE * SIZE];
    for (at, to) in output.iter_mut().enumerate() {
        let (out, row, column) = (at / (SIZE * SIZE), at / SIZE % SIZE, at % SIZE);
        for channel in 0..ins {
            for tap in 0..9 {
                let (y, x) = ((row + tap / 3).wrapping_sub(1), (column + tap % 3).wrapping_sub(1));
                if y < SIZE && x < SIZE {
                    let weight = f64::from(weights[(out * ins + channel) * 9 + tap]);
                    *to += 0.5 * weight * input[(channel * SIZE + y) * SIZE + x];
                }
            }
        }
        *to += f64::from(bias[out]);
    }
    output
}

/// The same with plain loops over f64, for one image.
fn expected(image: &[f32]) -> Vec<f64> {
    let Layers { stem, second, scores } = layers();
    let image: Vec<f64> = image.iter().map(|x| f64::from(*x)).collect();
    let first: Vec<f64> = convolved(&image, 3, &stem).into_iter().map(|x| x.max(0.0)).collect();
    let both = convolved(&first, 20, &second);
    let both: Vec<f64> = both.iter().zip(&first).map(|(a, b)| (a + b).max(0.0)).collect();
    let mean = |channel: usize| -> f64 {
        let maxima = (0..81).map(|at| {
            let (row, column) = (at / 9 * 2, at % 9 * 2);
            (0..9).map(|tap| both[(channel * SIZE + row + tap / 3) * SIZE + column + tap % 3]).fold(f64::MIN, f64::max)
        });
        maxima.sum::<f64>() / 81.0
    };
    let means: Vec<f64> = (0..20).map(mean).collect();
    (0..7)
        .map(|out| {
            let sum: f64 = (0..20).map(|i| 0.5 * f64::from(scores[out * 20 + i]) * means[i]).sum();
            sum + f64::from(numbers(7, 9)[out])
        })
        .collect()
}

#[test]
fn a_program_is_its_steps() -> Result<(), Box<dyn std::error::Error>> {
    let images = numbers(3 * 3 * SIZE * SIZE, 4);
    for set in InstructionSet::ALL.into_iter().filter(|set| set.available()) {
        for choice in choices(&conv(20, 20, 3)) {
            let (program, scores) = program(set, choice)?;
            let mut workspace = Workspace::new(&program, 3).ok_or("no memory")?;
            program.run(&mut workspace, &images);
            let mut found = [0.0; 21];
            program.read(&workspace, &scores, 3, &mut found);
            for (image, found) in images.chunks(images.len() / 3).zip(found.chunks(7)) {
                for (found, expected) in found.iter().zip(expected(image)) {
                    let close = (f64::from(*found) - expected).abs() <= 2e-5 * expected.abs().max(1.0);
                    assert!(close, "{found}, not {expected}: {set}, {choice:?}");
                }
            }
        }
    }
    Ok(())
}

/// `images → bf16 → convolution with the images added → f32`, by one of Winograd's algorithms.
#[cfg(not(target_arch = "wasm32"))]
fn on_halves(set: InstructionSet, choice: Choice) -> Result<(Program, Place), Box<dyn std::error::Error>> {
    let words = |number: Number| 2 * SIZE * SIZE * number.words();
    let (first, second) = (place(0, 20, SIZE, Number::Bf16), place(words(Number::Bf16), 20, SIZE, Number::Bf16));
    let wide = place(2 * words(Number::Bf16), 20, SIZE, Number::F32);
    let transformed = 2 * words(Number::Bf16) + words(Number::F32);
    let end = transformed + transformed_len(&conv(20, 20, 3), [SIZE; 2], choice);
    let transfer = |input, output| {
        let finish = Requantisation { scale: vec![1.0; 20], bias: vec![0.0; 20], factor: 0.0, floor: None };
        let zero = bf16::ZERO;
        Step::from(NarrowStep { work: NarrowWork::<bf16>::Transfer, input, zero, output, addend: None, finish })
    };
    let value = |place: Place| Input::Value { place, map: None };
    let convolution = Step::Convolution(Convolution {
        input: value(first),
        output: second,
        conv: conv(20, 20, 3),
        choice,
        finish: Finish { residual: Some(first), relu: true },
        transformed,
        alone: false,
    });
    let mut builder = Builder::new(set, 20 * SIZE * SIZE, [0, end]);
    builder.push(transfer(Input::Images { channels: 20, size: [SIZE; 2], map: None }, first), None)?;
    let (weights, factors, bias) = (layers().second, vec![0.5; 20], numbers(20, 9));
    let packed = builder.pack(&convolution, Tensors { weights: &weights, factors: &factors, bias: &bias })?;
    builder.push(convolution, Some(packed))?;
    builder.push(transfer(value(second), wide), None)?;
    Ok((builder.build()?, wide))
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn winograd_reads_and_writes_numbers_of_16_bits() -> Result<(), Box<dyn std::error::Error>> {
    let images: Vec<f32> = numbers(3 * 20 * SIZE * SIZE, 4).into_iter().map(|x| bf16::from_f32(x).to_f32()).collect();
    let weights = layers().second;
    for set in InstructionSet::ALL.into_iter().filter(|set| set.available()) {
        for choice in choices(&conv(20, 20, 3)).into_iter().filter(|choice| *choice != Choice::DIRECT) {
            let (program, wide) = on_halves(set, choice)?;
            let mut workspace = Workspace::new(&program, 3).ok_or("no memory")?;
            program.run(&mut workspace, &images);
            let mut found = vec![0.0; images.len()];
            program.read(&workspace, &wide, 3, &mut found);
            for (image, found) in images.chunks(20 * SIZE * SIZE).zip(found.chunks(20 * SIZE * SIZE)) {
                let image: Vec<f64> = image.iter().map(|x| f64::from(*x)).collect();
                let sums = convolved(&image, 20, &weights);
                for ((found, sum), own) in found.iter().zip(sums).zip(&image) {
                    let expected = (sum + own).max(0.0);
                    // Half of the last of eight bits, and what the sum itself is off.
                    let close = (f64::from(*found) - expected).abs() <= expected / 256.0 + 2e-5 * sum.abs().max(1.0);
                    assert!(close, "{found}, not {expected}: {set}, {choice:?}");
                }
            }
        }
    }
    Ok(())
}

/// Whichever threads do the work, also where the first of them comes too late for any.
#[test]
#[cfg(not(any(target_arch = "wasm32", miri)))]
fn the_times_of_the_steps_are_the_time_of_the_runs() -> Result<(), Box<dyn std::error::Error>> {
    let images = numbers(3 * 3 * SIZE * SIZE, 4);
    let (program, _) = program(InstructionSet::Portable, Choice::DIRECT)?;
    let mut workspace = Workspace::new(&program, 3).ok_or("no memory")?;
    program.run(&mut workspace, &images);
    workspace.measure();
    let started = std::time::Instant::now();
    let mut before = program.times(&workspace);
    for _ in 0..100 {
        program.run(&mut workspace, &images);
        let after = program.times(&workspace);
        assert!(after.iter().zip(&before).all(|(after, before)| after > before), "{before:?}, then {after:?}");
        before = after;
    }
    let (steps, all) = (before.iter().sum::<std::time::Duration>(), started.elapsed());
    assert!(steps < all && steps > all / 20, "{steps:?} of {all:?}");
    Ok(())
}

/// Where errors are looked for each task has memory of its own.
#[cfg(not(any(miri, exact_scratch)))]
#[test]
fn nothing_is_allocated_after_the_first_call() -> Result<(), Box<dyn std::error::Error>> {
    let images = numbers(3 * 3 * SIZE * SIZE, 4);
    for choice in choices(&conv(20, 20, 3)) {
        let (program, scores) = program(InstructionSet::chosen(), choice)?;
        let mut workspace = Workspace::new(&program, 3).ok_or("no memory")?;
        let mut found = [0.0; 21];
        let mut call = |images: &[f32], batch: usize| {
            program.run(&mut workspace, images);
            program.read(&workspace, &scores, batch, &mut found[..batch * 7]);
        };
        call(&images, 3);
        let before = COUNT.with(Cell::get);
        call(&images, 3);
        call(&images[..images.len() / 3], 1);
        assert_eq!(COUNT.with(Cell::get), before, "{choice:?}");
    }
    assert!(COUNT.with(Cell::get) > 0, "it counts");
    Ok(())
}

/// A value that has its store to itself.
fn place(offset: usize, channels: usize, size: usize, number: Number) -> Place {
    let store_blocks = channels.div_ceil(16);
    Place { alone: false, offset, channels, size: [size; 2], first_block: 0, store_blocks, number }
}

#[test]
fn what_would_not_be_sound_is_refused() {
    let place = |offset: usize, channels: usize, size: usize| place(offset, channels, size, Number::F32);
    let copy = |from: Place, output: Place| Step::Sum {
        inputs: vec![Input::Value { place: from, map: None }],
        output,
        relu: false,
    };
    let refused = |numbers: usize, step: Step| {
        let pushed = Builder::new(InstructionSet::Portable, 4, [0, numbers]).push(step, None);
        pushed.err().map(|refused| refused.to_string())
    };
    let outside = refused(256, copy(place(0, 16, 3), place(144, 16, 3)));
    assert_eq!(outside.as_deref(), Some("a value is not within the arena"));
    let overlap = refused(256, copy(place(0, 16, 2), place(32, 16, 2)));
    assert_eq!(overlap.as_deref(), Some("it would write what it reads"));
    let shapes = refused(256, copy(place(0, 16, 2), place(64, 16, 3)));
    assert_eq!(shapes.as_deref(), Some("its shapes do not fit each other"));
    assert_eq!(refused(256, copy(place(0, 16, 2), place(64, 16, 2))), None);
    let wrapping = Place { channels: 16, size: [usize::MAX / 2; 2], ..place(0, 16, 1) };
    assert_eq!(refused(256, copy(wrapping, wrapping)).as_deref(), Some("a value is not within the arena"));
    // Memory of one image serves only steps that run image by image.
    let alone = Place { alone: true, ..place(0, 16, 2) };
    let mut builder = Builder::new(InstructionSet::Portable, 4, [64, 64]);
    assert!(builder.push(copy(alone, place(0, 16, 2)), None).is_ok());
    assert!(builder.build().is_err());
    let mut builder = Builder::new(InstructionSet::Portable, 4, [64, 64]);
    assert!(builder.push(copy(alone, place(0, 16, 2)), None).is_ok());
    assert!(builder.image_by_image().is_ok());
    assert!(builder.build().is_ok());
}

#[test]
fn steps_on_narrow_numbers_that_would_not_be_sound_are_refused() {
    let finish = |channels: usize| Requantisation {
        scale: vec![1.0; channels],
        bias: vec![0.0; channels],
        factor: 0.0,
        floor: None,
    };
    let step = |from: Place, output: Place, work: NarrowWork<u8>| {
        let input = Input::Value { place: from, map: None };
        Step::from(NarrowStep { work, input, zero: 0, output, addend: None, finish: finish(output.channels) })
    };
    let refused = |step: Step| {
        let pushed = Builder::new(InstructionSet::Portable, 4, [0, 64]).push(step, None);
        pushed.err().map(|refused| refused.to_string())
    };
    // Sixteen numbers of 8 bits are four words: 2x2 pixels take sixteen.
    let (bytes, others) = (place(0, 16, 2, Number::U8), place(16, 16, 2, Number::U8));
    let halves = place(0, 16, 2, Number::Bf16);
    let shapes = Some("its shapes do not fit each other");
    assert_eq!(refused(step(bytes, others, NarrowWork::Transfer)), None);
    assert_eq!(refused(step(bytes, bytes, NarrowWork::Transfer)).as_deref(), Some("it would write what it reads"));
    assert_eq!(refused(step(halves, place(32, 16, 2, Number::U8), NarrowWork::Transfer)).as_deref(), shapes);
    assert_eq!(refused(step(bytes, place(16, 16, 1, Number::U8), NarrowWork::Transfer)).as_deref(), shapes);
    let mapped = |floor: Vec<f32>| {
        let map = Some(Arc::new(Affine { scale: vec![1.0; 16], shift: vec![0.0; 16], floor }));
        let input = Input::Value { place: bytes, map };
        let (work, finish) = (NarrowWork::<u8>::Transfer, finish(16));
        Step::from(NarrowStep { work, input, zero: 0, output: others, addend: None, finish })
    };
    let mut floors = vec![0.5; 16];
    assert_eq!(refused(mapped(floors.clone())), None);
    assert_eq!(refused(mapped(vec![f32::NAN; 16])), None);
    floors[15] = 0.25;
    assert_eq!(refused(mapped(floors)).as_deref(), shapes, "a floor of its own");
    let outside = place(64, 16, 2, Number::U8);
    assert_eq!(refused(step(bytes, outside, NarrowWork::Transfer)).as_deref(), Some("a value is not within the arena"));
    let max = Max { kernel: [1; 2], stride: [1; 2], padding: [0; 2], dilation: [1; 2] };
    let pool = |input, output| NarrowWork::Pool(Pool::max(&max, input, output).unwrap());
    assert_eq!(refused(step(bytes, others, pool([2; 2], [2; 2]))), None);
    assert_eq!(refused(step(bytes, others, pool([3, 2], [2; 2]))).as_deref(), shapes);
    assert_eq!(refused(step(bytes, others, pool([2; 2], [2, 1]))).as_deref(), shapes);
    for max in [Max { kernel: [0, 1], ..max }, Max { stride: [1, 0], ..max }, Max { dilation: [0, 1], ..max }] {
        assert!(Pool::max(&max, [2; 2], [2; 2]).is_none());
    }
    let beyond = Average { spans: [vec![Span { start: 1, end: 3, divisor: 2 }], vec![]] };
    assert!(Pool::average(&beyond, [2; 2]).is_none());
    // What computes in f32 reads no bytes.
    let input = Input::Value { place: bytes, map: None };
    let sum = Step::Sum { inputs: vec![input], output: place(16, 16, 1, Number::F32), relu: false };
    assert_eq!(refused(sum).as_deref(), Some("it does not compute with such numbers"));
    let winograd = |from: Place, output: Place, residual: Option<Place>| {
        Step::Convolution(Convolution {
            input: Input::Value { place: from, map: None },
            output,
            conv: conv(16, 16, 3),
            choice: Choice { algorithm: ConvAlgorithm::Winograd2x3, filters: Filters::Transformed },
            finish: Finish { residual, relu: false },
            transformed: 0,
            alone: false,
        })
    };
    let such = Some("it does not compute with such numbers");
    assert_eq!(refused(winograd(bytes, others, None)).as_deref(), such);
    let [full, half] = [Number::F32, Number::Bf16].map(|number| place(32, 16, 1, number));
    assert_eq!(refused(winograd(halves, half, Some(full))).as_deref(), such, "sums of other numbers");
    let weights = Weights::<u8>::new(&conv(16, 20, 1), InstructionSet::Portable, &[1; 320]);
    let convolution = |output| step(bytes, output, NarrowWork::Convolution(weights.clone()));
    assert_eq!(refused(convolution(place(16, 20, 2, Number::U8))), None);
    assert_eq!(refused(convolution(place(16, 24, 2, Number::U8))).as_deref(), shapes);
}

#[test]
fn sizes_of_nothing_are_refused_and_rows_of_nothing_are_none() -> Result<(), Box<dyn std::error::Error>> {
    let place = |offset: usize, channels: usize, size: usize| place(offset, channels, size, Number::F32);
    let of_none = Step::Convolution(Convolution {
        input: Input::Value { place: place(0, 16, 28), map: None },
        output: place(28 * 28 * 16, 16, 28),
        conv: conv(0, 16, 3),
        choice: Choice { algorithm: ConvAlgorithm::Winograd4x3, filters: Filters::Transformed },
        finish: Finish::default(),
        transformed: 0,
        alone: false,
    });
    let mut builder = Builder::new(InstructionSet::Portable, 4, [0, 2 * 28 * 28 * 16]);
    let why = builder.push(of_none, None).err().map(|why| why.to_string());
    assert_eq!(why.as_deref(), Some("its shapes do not fit each other"));

    let (input, output) = (place(0, 3, 1), place(16, 7, 1));
    let layer = Step::Linear(LinearLayer { input, map: None, output, finish: Finish::default(), gathered: 32 });
    let builder = Builder::new(InstructionSet::chosen(), 4, [0, 64]);
    let (factors, bias, weights) = (vec![0.5; 7], numbers(7, 9), numbers(21, 3));
    let mut packing = builder.pack_linear(&layer, &factors, &bias)?;
    packing.push(&[])?;
    packing.push(&weights)?;
    packing.push(&[])?;
    assert!(packing.push(&weights).is_err());
    let tensors = Tensors { weights: &weights, factors: &factors, bias: &bias };
    assert_eq!(packing.packed()?.weights.get(), builder.pack(&layer, tensors)?.weights.get());
    Ok(())
}

/// Of so many inputs that plain filters are transformed in several parts, and outputs in several panels.
#[test]
fn every_choice_gives_what_the_definition_does() -> Result<(), Box<dyn std::error::Error>> {
    for kernel in fewer::some(&[[3, 3], [5, 5], [1, 3], [3, 1], [1, 7], [7, 1]]) {
        let conv = Conv { kernel, padding: kernel.map(|taps| taps / 2), ..conv(200, 75, 3) };
        held_against_the_definition(&conv, [9, 14])?;
        // Many tiles of a map, and no padding.
        held_against_the_definition(&Conv { in_channels: 20, padding: [0; 2], ..conv }, [33, 29])?;
    }
    Ok(())
}

fn held_against_the_definition(conv: &Conv, size: [usize; 2]) -> Result<(), Box<dyn std::error::Error>> {
    const BATCH: usize = 3;
    let Conv { in_channels: ins, out_channels: outs, kernel: [height, width], padding, .. } = *conv;
    let (pixels, to_size) = (size[0] * size[1], conv.output(size).ok_or("no output")?);
    let to_pixels = to_size[0] * to_size[1];
    let (images, weights) = (numbers(BATCH * ins * pixels, 4), numbers(conv.weights(), 5));
    let (factors, bias) = (vec![0.1; outs], numbers(outs, 9));
    let expected = (0..BATCH * outs * to_pixels).map(|at| {
        let (image, out) = (at / to_pixels / outs, at / to_pixels % outs);
        let (row, column) = (at / to_size[1] % to_size[0], at % to_size[1]);
        let mut sum = f64::from(bias[out]);
        for (channel, tap) in (0..ins).flat_map(|channel| (0..height * width).map(move |tap| (channel, tap))) {
            let y = (row + tap / width).wrapping_sub(padding[0]);
            let x = (column + tap % width).wrapping_sub(padding[1]);
            if y < size[0] && x < size[1] {
                let weight = f64::from(weights[(out * ins + channel) * height * width + tap]);
                sum += 0.1 * weight * f64::from(images[(image * ins + channel) * pixels + y * size[1] + x]);
            }
        }
        sum
    });
    let expected: Vec<f64> = expected.collect();
    let most = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let place = |offset, channels: usize, size| {
        let store_blocks = channels.div_ceil(16);
        Place { alone: false, offset, channels, size, first_block: 0, store_blocks, number: Number::F32 }
    };
    let first = place(0, ins, size);
    let second = place(ins.next_multiple_of(16) * pixels, outs, to_size);
    let transformed = second.offset + outs.next_multiple_of(16) * to_pixels;
    for (set, choice) in
        InstructionSet::ALL.into_iter().flat_map(|set| choices(conv).into_iter().map(move |c| (set, c)))
    {
        if !set.available() {
            continue;
        }
        let mut builder = Builder::new(set, ins * pixels, [0, transformed + transformed_len(conv, to_size, choice)]);
        let copied = Input::Images { channels: ins, size, map: None };
        builder.push(Step::Sum { inputs: vec![copied], output: first, relu: false }, None)?;
        let step = Step::Convolution(Convolution {
            input: Input::Value { place: first, map: None },
            output: second,
            conv: *conv,
            choice,
            finish: Finish::default(),
            transformed,
            alone: false,
        });
        let packed = builder.pack(&step, Tensors { weights: &weights, factors: &factors, bias: &bias })?;
        builder.push(step, Some(packed))?;
        let program = builder.build()?;
        let mut workspace = Workspace::new(&program, BATCH).ok_or("no memory")?;
        let mut found = vec![0.0; BATCH * outs * to_pixels];
        program.run(&mut workspace, &images);
        program.read(&workspace, &second, BATCH, &mut found);
        for (found, expected) in found.iter().zip(&expected) {
            let close = (f64::from(*found) - expected).abs() <= 1e-5 * most;
            assert!(close, "{found}, not {expected}: {set}, {choice:?}, {conv:?}");
        }
        let mut alone = vec![0.0; outs * to_pixels];
        program.run(&mut workspace, &images[..ins * pixels]);
        program.read(&workspace, &second, 1, &mut alone);
        assert!(alone == found[..outs * to_pixels], "alone and in a batch: {set}, {choice:?}, {conv:?}");
    }
    Ok(())
}
