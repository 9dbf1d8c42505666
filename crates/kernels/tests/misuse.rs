//! Convolutions refuse regions that do not belong together.

use cnn_kernels::conv::Conv;
use cnn_kernels::{InstructionSet, Region, Sink, View};
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
