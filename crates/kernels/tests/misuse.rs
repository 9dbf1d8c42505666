//! Convolutions refuse regions that do not belong together.

use cnn_kernels::conv::Conv;
use cnn_kernels::copy::copy;
use cnn_kernels::{Arrival, InstructionSet, Map, Pull, Region, Sink, View};
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
