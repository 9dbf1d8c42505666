//! Maximum pooling.

use super::{Cover, rows, rows_scratch};
use crate::buffer::Shared;
use crate::element::Element;
use crate::pieces::{At, Fill, Grain, clear_padding, fill};
use crate::region::Region;
use crate::simd::{InstructionSet, LANES, Vector};
use crate::sink::Sink;
use crate::view::{Map, View, channel};
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
        let forward = Forward { max: *self, input: *input, floor, axes: &axes, winners: Shared::new(winners), region };
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
        let axis = |axis: usize, input: usize, output: usize, factor: usize| {
            let covered = self.taps(axis, input, output).into_iter().map(|taps| {
                let position = |tap: usize| (taps.start + (tap * self.dilation[axis]) as isize) as usize;
                taps.valid.map(|tap| (position(tap), T::from_f64((tap * factor) as f64))).collect::<Vec<_>>()
            });
            Cover::new(input, &covered.collect::<Vec<_>>())
        };
        let axes = [axis(0, from.height, to.height, self.kernel[1]), axis(1, from.width, to.width, 1)];
        let backward = Backward { gradient: *gradient, axes: &axes, winners, region, width: from.width };
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

struct Forward<'a, T> {
    max: Max,
    input: View<'a, T>,
    /// The floor of each channel, where the winners tell of it.
    floor: Option<&'a [T]>,
    axes: &'a [Vec<Taps>; 2],
    winners: Shared<'a, u8>,
    region: Region,
}

impl<T> Forward<'_, T> {
    /// The rows of the input that a piece reads.
    #[inline(always)]
    fn reads(&self, at: &At) -> Range<usize> {
        let width = self.region.width;
        let (mut low, mut high) = (usize::MAX, 0);
        for taps in &self.axes[0][at.pixels.start / width..at.pixels.end / width] {
            if !taps.valid.is_empty() {
                let dilation = self.max.dilation[0];
                low = low.min((taps.start + (taps.valid.start * dilation) as isize) as usize);
                high = high.max((taps.start + ((taps.valid.end - 1) * dilation) as isize) as usize + 1);
            }
        }
        low.min(high)..high
    }
}

impl<T: Element> Fill<T> for Forward<'_, T> {
    fn scratch(&self, at: &At) -> usize {
        rows_scratch(&self.input, &self.reads(at))
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]) {
        let (width, pixels) = (self.region.width, at.pixels.len());
        let Max { kernel, dilation, .. } = self.max;
        let reads = self.reads(at);
        let stride = self.input.region.width * LANES;
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let block = at.blocks.start + number;
            let input = rows::<V>(&self.input, [at.image, block], &reads, &mut *scratch);
            let start = self.region.at(at.image, block, 0, 0) + at.pixels.start * LANES;
            let floor = self.floor.map_or(V::splat(T::NAN), |floor| channel::<V>(floor, block));
            let nobody = V::splat(T::from_f64(f64::from(NOBODY)));
            // SAFETY: the pieces divide blocks and pixels among the tasks.
            let winners = unsafe { self.winners.part(start..start + pixels * LANES) };
            let mut to = results.chunks_exact_mut(LANES).zip(winners.chunks_exact_mut(LANES));
            for down in &self.axes[0][at.pixels.start / width..at.pixels.end / width] {
                for right in &self.axes[1] {
                    let Some((result, winner)) = to.next() else { return };
                    let mut best = V::splat(T::NEG_INFINITY);
                    // Where all is −∞ the first tap wins.
                    let mut which = V::splat(T::from_f64((down.valid.start * kernel[1] + right.valid.start) as f64));
                    for y in down.valid.clone() {
                        let row = (down.start + (y * dilation[0]) as isize) as usize - reads.start;
                        let row = &input[row * stride..][..stride];
                        for x in right.valid.clone() {
                            let column = (right.start + (x * dilation[1]) as isize) as usize;
                            // SAFETY: sixteen numbers.
                            let value = unsafe { V::load(row[column * LANES..][..LANES].as_ptr()) };
                            let tap = V::splat(T::from_f64((y * kernel[1] + x) as f64));
                            which = value.select_above(best, tap, which);
                            best = value.select_above(best, value, best);
                        }
                    }
                    which = which.sub(nobody).unless_at_most(best, floor).add(nobody);
                    // SAFETY: sixteen numbers and bytes.
                    unsafe {
                        best.store(result.as_mut_ptr());
                        if down.valid.is_empty() || right.valid.is_empty() {
                            which = V::zero();
                        }
                        which.store_bytes(winner.as_mut_ptr());
                    }
                    if down.valid.is_empty() || right.valid.is_empty() {
                        clear_padding(self.region.channels, block, result);
                    }
                }
            }
        }
    }
}

struct Backward<'a, T> {
    gradient: View<'a, T>,
    /// What counts towards the tap's number.
    axes: &'a [Cover<T>; 2],
    winners: &'a [u8],
    region: Region,
    /// Columns of the input.
    width: usize,
}

impl<T: Element> Fill<T> for Backward<'_, T> {
    fn scratch(&self, at: &At) -> usize {
        let rows = at.pixels.start / self.width..at.pixels.end / self.width;
        rows_scratch(&self.gradient, &self.axes[0].outputs(&rows))
    }

    #[inline(always)]
    fn fill<V: Vector<Element = T>>(&self, at: &At, results: &mut [T], scratch: &mut [T]) {
        let pixels = at.pixels.len();
        let down = at.pixels.start / self.width..at.pixels.end / self.width;
        let reads = self.axes[0].outputs(&down);
        let stride = self.region.width * LANES;
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let block = at.blocks.start + number;
            let gradient = rows::<V>(&self.gradient, [at.image, block], &reads, &mut *scratch);
            let start = self.region.at(at.image, block, 0, 0) + reads.start * stride;
            let winners = &self.winners[start.min(self.winners.len())..][..gradient.len()];
            let mut to = results.chunks_exact_mut(LANES);
            for y in down.clone() {
                for x in 0..self.width {
                    let Some(to) = to.next() else { return };
                    let mut sum = V::zero();
                    for (row, above) in self.axes[0].at(y) {
                        for (column, tap) in self.axes[1].at(x) {
                            let from = (row - reads.start) * stride + column * LANES;
                            let tap = V::splat(*above + *tap);
                            // SAFETY: sixteen numbers and bytes.
                            unsafe {
                                let winner = V::load_bytes(winners[from..][..LANES].as_ptr());
                                sum = V::load(gradient[from..][..LANES].as_ptr()).where_equal(winner, tap).add(sum);
                            }
                        }
                    }
                    // SAFETY: sixteen numbers.
                    unsafe { sum.store(to.as_mut_ptr()) };
                }
            }
        }
    }
}
