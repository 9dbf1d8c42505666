//! Convolutions refuse regions that do not belong together.

use cnn_kernels::conv::{Algorithm, Conv};
use cnn_kernels::copy::copy;
use cnn_kernels::flatten::unflatten;
use cnn_kernels::inference::{Builder, Choice, Convolution, Finish, Input, Number, Packed, Place, Step};
use cnn_kernels::narrow::{self, Source, Target, Weights, bf16};
use cnn_kernels::pool::Max;
use cnn_kernels::{Arrival, InstructionSet, Map, Pull, Region, Sink, Sums, View};
use std::panic::{AssertUnwindSafe, catch_unwind};

const CONV: Conv = Conv {
    in_channels: 16,
    out_channels: 16,
    groups: 1,
    kernel: [3, 3],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
};

#[test]
fn sizes_and_batches_that_no_convolution_makes_are_refused() {
    let set = InstructionSet::Portable;
    let input = Region::new(1, 16, [8, 8]);
    let weights = vec![0.5_f32; CONV.weights()];
    let refused = |output: Region| {
        let (read, mut gradient) = (vec![1.0; input.len()], vec![0.0; weights.len()]);
        let mut written = vec![0.0; output.len()];
        let forward = catch_unwind(AssertUnwindSafe(|| {
            CONV.forward(set, &View::plain(&read, input), &weights, Sink::store(&mut written, output));
        }));
        let given = vec![1.0; output.len()];
        let mut back = vec![0.0; input.len()];
        let backward = catch_unwind(AssertUnwindSafe(|| {
            CONV.backward_input(set, &View::plain(&given, output), &weights, Sink::store(&mut back, input));
        }));
        let of_weights = catch_unwind(AssertUnwindSafe(|| {
            CONV.backward_weights(set, &View::plain(&read, input), &View::plain(&given, output), &mut gradient);
        }));
        [forward.is_err(), backward.is_err(), of_weights.is_err()]
    };
    assert_eq!(refused(Region::new(1, 16, [6, 6])), [false; 3]);
    for wrong in [[8, 8], [4, 4], [6, 5]] {
        assert_eq!(refused(Region::new(1, 16, wrong)), [true; 3], "{wrong:?}");
    }
    assert_eq!(refused(Region::new(2, 16, [6, 6])), [true; 3]);
}

/// Three times this is 2, if it wraps around.
const THIRD: usize = usize::MAX / 3 + 1;

/// A kernel of four taps whose extent seems to be three.
const WRAPPING: Conv = Conv { kernel: [4, 1], dilation: [THIRD, 1], ..CONV };

#[test]
fn sizes_that_wrap_around_are_none() {
    assert_eq!(WRAPPING.output([8, 8]), None);
    let half = usize::MAX / 2 + 1;
    for conv in [
        Conv { padding: [half, 0], ..CONV },
        Conv { padding: [half / 2, half / 4], ..CONV },
        Conv { kernel: [usize::MAX, 1], dilation: [usize::MAX, 1], ..CONV },
        Conv { in_channels: usize::MAX, ..CONV },
        Conv { stride: [1, usize::MAX], ..CONV },
        Conv { stride: [0, 1], ..CONV },
        Conv { kernel: [0, 1], ..CONV },
    ] {
        assert_eq!(conv.output([8, 8]), None, "{conv:?}");
    }
    assert_eq!(Conv { kernel: [half, 2], ..CONV }.weights(), usize::MAX);
}

#[test]
fn a_kernel_whose_extent_wraps_around_is_refused() {
    let set = InstructionSet::Portable;
    let (input, output) = (Region::new(1, 16, [8, 8]), Region::new(1, 16, [6, 8]));
    let weights = vec![0.5_f32; WRAPPING.weights()];
    let refused = |run: &dyn Fn()| catch_unwind(AssertUnwindSafe(run)).is_err();
    let maps = vec![1.0; input.len()];
    assert!(refused(&|| {
        let mut to = vec![0.0; output.len()];
        WRAPPING.forward(set, &View::plain(&maps, input), &weights, Sink::store(&mut to, output));
    }));
    assert!(refused(&|| {
        let (from, mut to) = (vec![bf16::ONE; input.len()], vec![0.0; output.len()]);
        let weights = Weights::<bf16>::new(&WRAPPING, set, &weights);
        let mut workspace = vec![0.0; 1 << 16];
        let target = Target::Wide(&mut to, output);
        weights.convolve(Source::plain(&from, input), target, &narrow::Finish::default(), &mut workspace);
    }));
    let place = |offset, size| Place {
        alone: false,
        offset,
        channels: 16,
        size,
        first_block: 0,
        store_blocks: 1,
        number: Number::F32,
    };
    let step = Step::Convolution(Convolution {
        input: Input::Value { place: place(0, [8, 8]), map: None },
        output: place(1024, [8, 6]),
        conv: Conv { kernel: [1, 4], dilation: [1, THIRD], ..CONV },
        choice: Choice::DIRECT,
        finish: Finish::default(),
        transformed: 0,
        alone: false,
    });
    let mut builder = Builder::new(set, 0, [0, 2048]);
    assert_eq!(builder.packed_lens(&step), None);
    let numbers = |count: usize| (&*vec![0.0_f32; count]).into();
    let packed = Packed { weights: numbers(16 * 16 * 4), bias: numbers(16) };
    let why = builder.push(step, Some(packed)).err().map(|why| why.to_string());
    assert_eq!(why.as_deref(), Some("its shapes do not fit each other"));
}

/// A window that is alone in its row has no next one, however far that would be.
#[test]
fn a_stride_beyond_all_maps_is_as_good_as_one_that_leaves_the_map() {
    let set = InstructionSet::Portable;
    let (input, output) = (Region::new(2, 16, [8, 8]), Region::new(2, 16, [6, 1]));
    let passes = |stride: usize| {
        let conv = Conv { stride: [1, stride], ..CONV };
        let numbers = |count: usize| (0..count).map(|i| (i % 13) as f32 - 6.0).collect::<Vec<_>>();
        let (from, weights, given) = (numbers(input.len()), numbers(conv.weights()), numbers(output.len()));
        let (mut to, mut back) = (vec![0.0; output.len()], vec![f32::NAN; input.len()]);
        let mut gradient = vec![0.0; weights.len()];
        conv.forward(set, &View::plain(&from, input), &weights, Sink::store(&mut to, output));
        conv.backward_input(set, &View::plain(&given, output), &weights, Sink::store(&mut back, input));
        conv.backward_weights(set, &View::plain(&from, input), &View::plain(&given, output), &mut gradient);
        [to, back, gradient]
    };
    assert_eq!(passes(1 << (usize::BITS - 6)), passes(8));
}

/// Places that would wrap around, and what is mixed or taken back through maps of another shape.
#[test]
fn views_of_other_regions_are_refused() {
    let set = InstructionSet::Portable;
    let region = Region::new(1, 16, [2, 2]);
    let refused = |run: &dyn Fn(&mut [f32])| {
        let mut to = vec![0.0; region.len()];
        catch_unwind(AssertUnwindSafe(|| run(&mut to))).is_err()
    };
    let (maps, other) = (vec![1.0_f32; region.len()], Region::new(1, 16, [1, 4]));
    assert!(!refused(&|to| copy(set, &View::plain(&maps, region), Sink::store(to, region))));
    let wrapping = Region { buffer_blocks: usize::MAX / 16 + 1, ..region };
    assert!(refused(&|to| copy(set, &View::plain(&maps, wrapping), Sink::store(to, region))));
    let entries = [0.5_f32; 16];
    let mix = |other_region| {
        let map = Map::Mix { scale: &entries, other: &maps, other_region, other_scale: &entries, shift: &entries };
        View { map, ..View::plain(&maps, region) }
    };
    assert!(!refused(&|to| copy(set, &mix(region), Sink::store(to, region))));
    assert!(refused(&|to| copy(set, &mix(other), Sink::store(to, region))));
    let pull = |through: View<'_, f32>| {
        refused(&|data| {
            let (arrival, factor, through) = (Arrival::Replace, None, Some(through));
            let pull = Pull { data, region, arrival, factor, through, sums: None };
            copy(set, &View::plain(&maps, region), Sink::Pull(pull));
        })
    };
    assert!(!pull(View::plain(&maps, region)));
    assert!(pull(View::plain(&maps, other)));
    assert!(pull(mix(region)));
    assert!(pull(View { map: Map::Planar, ..View::plain(&maps, region) }));
}

#[test]
fn groups_that_do_not_divide_the_channels_are_no_convolution() {
    let set = InstructionSet::Portable;
    for groups in [0, 3, 32] {
        let conv = Conv { groups, ..CONV };
        assert_eq!(conv.output([8, 8]), None, "{groups} groups");
        assert_eq!(conv.methods(Algorithm::Auto, 1, [8, 8]), None, "{groups} groups");
        assert!(Weights::<bf16>::from_packed(&conv, set, &[0.0; 8][..], &[0; 16]).is_none(), "{groups} groups");
    }
    assert_eq!(Conv { groups: 0, ..CONV }.weights(), 0);
}

#[test]
fn gradients_of_other_vectors_are_not_made_maps() {
    let set = InstructionSet::Portable;
    let maps = Region::new(2, 3, [2, 2]);
    let refused = |gradient: Region| {
        let (numbers, mut back) = (vec![1.0_f32; 512], vec![0.0; 512]);
        catch_unwind(AssertUnwindSafe(|| {
            unflatten(set, &View::plain(&numbers, gradient), Sink::store(&mut back, maps));
        }))
        .is_err()
    };
    assert!(!refused(Region::new(2, 12, [1, 1])));
    for wrong in [Region::new(1, 12, [1, 1]), Region::new(3, 12, [1, 1]), Region::new(2, 12, [2, 1]), maps] {
        assert!(refused(wrong), "{wrong:?}");
    }
}

#[test]
fn windows_that_wrap_around_or_stand_still_are_refused() {
    let set = InstructionSet::Portable;
    let max = Max { kernel: [2, 2], stride: [2, 2], padding: [1, 1], dilation: [1, 1] };
    let (from, to) = (Region::new(1, 16, [4, 4]), Region::new(1, 16, [3, 3]));
    let refused = |max: Max| {
        let (read, mut written, mut winners) = (vec![1.0_f32; from.len()], vec![0.0; to.len()], vec![0; to.len()]);
        let forward = catch_unwind(AssertUnwindSafe(|| {
            max.forward(set, &View::plain(&read, from), Sink::store(&mut written, to), &mut winners);
        }));
        let (given, mut back, winners) = (vec![1.0_f32; to.len()], vec![0.0; from.len()], vec![0; to.len()]);
        let backward = catch_unwind(AssertUnwindSafe(|| {
            max.backward(set, &View::plain(&given, to), &winners, Sink::store(&mut back, from));
        }));
        [forward.is_err(), backward.is_err()]
    };
    assert_eq!(refused(max), [false; 2]);
    let half = 1 << (usize::BITS / 2);
    for wrong in [Max { kernel: [half, half], ..max }, Max { dilation: [0, 1], ..max }, Max { dilation: [1, 0], ..max }]
    {
        assert_eq!(refused(wrong), [true; 2], "{wrong:?}");
    }
}

#[test]
fn sums_without_a_centre_for_each_channel_are_refused() {
    let set = InstructionSet::Portable;
    let region = Region::new(1, 3, [2, 2]);
    let (gradient, looked_at) = (vec![1.0_f32; region.len()], vec![2.0; region.len()]);
    let taken = |centres: usize, looks: bool| {
        let mut sums = Sums { centre: vec![0.1; centres], ..Sums::default() };
        let mut back = vec![0.0; region.len()];
        let done = catch_unwind(AssertUnwindSafe(|| {
            let through = looks.then(|| View::plain(&looked_at, region));
            let (arrival, sums) = (Arrival::Replace, Some(&mut sums));
            let pull = Pull { data: &mut back, region, arrival, factor: None, through, sums };
            copy(set, &View::plain(&gradient, region), Sink::Pull(pull));
        }));
        done.ok().map(|()| [sums.gradient, sums.product])
    };
    let [of_gradients, of_products] = taken(3, true).expect("sums of what is looked at");
    assert_eq!(of_gradients, [4.0; 3]);
    assert!(of_products.iter().all(|product| (product - 4.0 * 1.9).abs() < 1e-6), "{of_products:?}");
    // Of what is not looked at there are no products.
    assert_eq!(taken(3, false), Some([vec![4.0; 3], vec![0.0; 3]]));
    assert_eq!([taken(2, true), taken(0, true), taken(2, false)], [const { None }; 3]);
}
