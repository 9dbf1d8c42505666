//! Maximum pooling.

mod backward;
mod forward;

use super::Cover;
use crate::buffer::Shared;
use crate::element::Element;
use crate::pieces::{Grain, fill};
use crate::region::Region;
use crate::simd::InstructionSet;
use crate::sink::Sink;
use crate::view::{Map, View};
use backward::Backward;
use forward::Forward;
use std::ops::Range;

/// The winner of a window whose maximum is at the floor of what it reads: nothing that its gradient could go to.
const NOBODY: u8 = u8::MAX;

/// The maximum over windows; pairs are `[height, width]`. Padding counts as −∞, and the number of windows is the
/// output's size, so a last one may hang over the far edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Max {
    /// Extent of a window in taps; 256 of them at most.
    pub kernel: [usize; 2],
    /// Step between two windows.
    pub stride: [usize; 2],
    /// Rows and columns before the first.
    pub padding: [usize; 2],
    /// Distance between two taps.
    pub dilation: [usize; 2],
}

impl Max {
    /// Writes the maxima to `output`, and to `winners` which tap of its window each was, counted row by row: the first
    /// of equals, and the last of those that are NaN. `winners` lie as a buffer of its own of the output's shape
    /// does. Where [`Max::knows_floors`], nobody wins a window whose maximum is at the floor of the input's map: its
    /// gradient goes nowhere.
    ///
    /// # Panics
    ///
    /// Where the shapes do not fit, a window has more than 256 taps, or a dilation is 0.
    pub fn forward<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        output: Sink<'_, T>,
        winners: &mut [u8],
    ) {
        T::max_forward(self, set, input, output, winners);
    }

    pub(crate) fn compute_forward<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        output: Sink<'_, T>,
        winners: &mut [u8],
    ) {
        input.check();
        let (from, to) = (input.region, *output.region());
        let region = self.check(&from, &to, winners.len());
        let axes = [self.taps(0, from.height, to.height), self.taps(1, from.width, to.width)];
        let cost = (from.pixels() / to.pixels().max(1)).max(1);
        let floor = match input.map {
            Map::Affine { floor, .. } if self.knows_floors() => Some(floor),
            _ => None,
        };
        let is_whole = |taps: &&Taps| taps.is_whole(self.kernel[1]);
        let first = axes[1].iter().take_while(|taps| !is_whole(taps)).count();
        let whole = first..first + axes[1].iter().filter(is_whole).count();
        let winners = Shared::new(winners);
        let forward = Forward { max: *self, input: *input, floor, axes: &axes, whole, winners, region };
        fill(set, Grain { row: to.width, cost, whole: false }, &forward, output);
    }

    /// Whether its winners say where a gradient ends at a floor of the input's map, so that the way back need not look
    /// at the input: there is a number left for nobody.
    pub fn knows_floors(&self) -> bool {
        self.kernel[0].saturating_mul(self.kernel[1]) <= usize::from(NOBODY)
    }

    /// Sends the gradient of the output back to the maxima; `winners` are what [`Max::forward`] left.
    ///
    /// # Panics
    ///
    /// Where the shapes do not fit, a window has more than 256 taps, or a dilation is 0.
    pub fn backward<T: Element>(
        &self,
        set: InstructionSet,
        gradient: &View<'_, T>,
        winners: &[u8],
        input: Sink<'_, T>,
    ) {
        T::max_backward(self, set, gradient, winners, input);
    }

    pub(crate) fn compute_backward<T: Element>(
        &self,
        set: InstructionSet,
        gradient: &View<'_, T>,
        winners: &[u8],
        input: Sink<'_, T>,
    ) {
        gradient.check();
        let (from, to) = (*input.region(), gradient.region);
        let region = self.check(&from, &to, winners.len());
        let covered = |axis: usize, input: usize, output: usize, factor: usize| {
            let positions = |taps: Taps| {
                let position = |tap: usize| (taps.start + (tap * self.dilation[axis]) as isize) as usize;
                taps.valid.map(|tap| (position(tap), T::from_f64((tap * factor) as f64))).collect()
            };
            self.taps(axis, input, output).into_iter().map(positions).collect::<Vec<Vec<_>>>()
        };
        let down = Cover::new(from.height, &covered(0, from.height, to.height, self.kernel[1]));
        let columns = covered(1, from.width, to.width, 1);
        let right = Cover::new(from.width, &columns);
        let apart = down.is_of_one_each() && right.is_of_one_each();
        let columns = if apart { columns } else { Vec::new() };
        let backward = Backward {
            gradient: *gradient,
            axes: &[down, right],
            columns: &columns,
            winners,
            region,
            width: from.width,
        };
        fill(set, Grain { row: from.width, cost: 1, whole: false }, &backward, input);
    }

    /// The region of the winners.
    fn check(&self, input: &Region, output: &Region, winners: usize) -> Region {
        assert!(self.kernel[0].saturating_mul(self.kernel[1]) <= 256, "{:?} is too large a window", self.kernel);
        assert!(!self.dilation.contains(&0), "taps of a window are apart");
        assert_eq!([input.batch, input.channels], [output.batch, output.channels]);
        let region = Region::new(output.batch, output.channels, [output.height, output.width]);
        assert_eq!(winners, region.len());
        region
    }

    /// The taps of each window along an axis that are inside the input.
    fn taps(&self, axis: usize, input: usize, output: usize) -> Vec<Taps> {
        (0..output).map(|number| self.window(axis, input, number)).collect()
    }

    /// The taps of one window.
    pub(crate) fn window(&self, axis: usize, input: usize, number: usize) -> Taps {
        let (dilation, kernel) = (self.dilation[axis], self.kernel[axis]);
        let start = (number * self.stride[axis]) as isize - self.padding[axis] as isize;
        let first = ((-start).max(0) as usize).div_ceil(dilation).min(kernel);
        let end = ((input as isize - start).max(0) as usize).div_ceil(dilation).min(kernel);
        Taps { start, valid: first..end.max(first) }
    }
}

/// A window along one axis.
pub(crate) struct Taps {
    /// The first tap's position.
    pub(crate) start: isize,
    /// Taps inside the input.
    pub(crate) valid: Range<usize>,
}

impl Taps {
    /// Whether all taps of a window of so many are inside the input.
    #[inline(always)]
    fn is_whole(&self, kernel: usize) -> bool {
        !self.valid.is_empty() && self.valid == (0..kernel)
    }

    /// The position of the first tap inside the input, where there is one.
    #[inline(always)]
    fn first(&self, dilation: usize) -> usize {
        (self.start + (self.valid.start * dilation) as isize) as usize
    }
}
