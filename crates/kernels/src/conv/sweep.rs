//! Which position is read for which tap.
//!
//! Along one axis a sweep writes positions `phase + step · j` for `j` in `0..count`, and reads for each of its taps
//! position `stride · j + offset`. The forward pass is one sweep. The gradient of the input is one for each remainder of
//! the position by the stride: each remainder meets its own taps. Taps that meet nothing but padding are left out: on
//! maps smaller than the kernel that is most of them.

use super::shape::Conv;

/// One axis of a correlation.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Step between positions read.
    pub(super) stride: usize,
    /// Step between positions written.
    pub(super) step: usize,
    /// One for each phase that has positions, the first in any case.
    pub(super) phases: Vec<Phase>,
}

/// The positions of one remainder.
#[derive(Clone, Debug)]
pub(super) struct Phase {
    /// Number of positions written.
    pub(super) count: usize,
    /// Tap of the kernel, and offset of the position it reads.
    pub(super) taps: Vec<(usize, isize)>,
}

impl Axis {
    /// The forward pass between an input and an output of these lengths.
    pub(super) fn forward(conv: &Conv, axis: usize, input: usize, output: usize) -> Self {
        let stride = conv.stride[axis];
        let tap = |k: usize| (k, (k * conv.dilation[axis]) as isize - conv.padding[axis] as isize);
        let taps = (0..conv.kernel[axis]).map(tap).filter(|tap| meets(tap.1, stride, output, input)).collect();
        Self { stride, step: 1, phases: vec![Phase { count: output, taps }] }
    }

    /// The way back between the same.
    pub(super) fn backward(conv: &Conv, axis: usize, input: usize, output: usize) -> Self {
        let step = conv.stride[axis];
        // Remainders behind the input have no positions.
        let phases = (0..step.min(input).max(1)).map(|phase| {
            // Output o meets input i at tap k where o · stride = i + padding − k · dilation.
            let reach = |k: usize| (phase + conv.padding[axis]) as isize - (k * conv.dilation[axis]) as isize;
            let whole = |k: &usize| reach(*k).rem_euclid(step as isize) == 0;
            let taps = (0..conv.kernel[axis]).filter(whole).map(|k| (k, reach(k).div_euclid(step as isize)));
            let count = input.saturating_sub(phase).div_ceil(step);
            Phase { count, taps: taps.filter(|tap| meets(tap.1, 1, count, output)).collect() }
        });
        Self { stride: 1, step, phases: phases.collect() }
    }

    /// The largest number of positions of a phase.
    pub(super) fn count(&self) -> usize {
        self.phases[0].count
    }

    /// The lowest and the highest offset.
    pub(super) fn reach(&self) -> (isize, isize) {
        let offsets = || self.phases.iter().flat_map(|phase| &phase.taps).map(|tap| tap.1);
        (offsets().min().unwrap_or(0), offsets().max().unwrap_or(0))
    }
}

/// Whether one of `count` positions reads, at this offset, one of `length` positions and not only padding.
fn meets(offset: isize, stride: usize, count: usize, length: usize) -> bool {
    // The first position that is not before the input, if any is not beyond it.
    let first = (-offset).max(0) as usize;
    let position = first.div_ceil(stride);
    position < count && ((position * stride) as isize + offset) < length as isize
}
