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
        let is_whole = |taps: &&Taps| !taps.valid.is_empty() && taps.valid == (0..self.kernel[1]);
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
    /// The position of the first tap inside the input, where there is one.
    #[inline(always)]
    fn first(&self, dilation: usize) -> usize {
        (self.start + (self.valid.start * dilation) as isize) as usize
    }
}

struct Forward<'a, T> {
    max: Max,
    input: View<'a, T>,
    /// The floor of each channel, where the winners tell of it.
    floor: Option<&'a [T]>,
    axes: &'a [Vec<Taps>; 2],
    /// Columns of windows that have all their taps inside the input.
    whole: Range<usize>,
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
                low = low.min(taps.first(dilation));
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
        let Max { kernel, stride, dilation, .. } = self.max;
        let reads = self.reads(at);
        let apart = self.input.region.width;
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let block = at.blocks.start + number;
            let input = rows::<V>(&self.input, [at.image, block], &reads, &mut *scratch).as_chunks().0;
            let start = self.region.at(at.image, block, 0, 0) + at.pixels.start * LANES;
            let floor = self.floor.map_or(V::splat(T::NAN), |floor| channel::<V>(floor, block));
            // SAFETY: the pieces divide blocks and pixels among the tasks.
            let winners = unsafe { self.winners.part(start..start + pixels * LANES) };
            let to = results
                .as_chunks_mut()
                .0
                .chunks_exact_mut(width)
                .zip(winners.as_chunks_mut().0.chunks_exact_mut(width));
            for (down, (results, winners)) in
                self.axes[0][at.pixels.start / width..at.pixels.end / width].iter().zip(to)
            {
                if down.valid.is_empty() {
                    results
                        .iter_mut()
                        .zip(winners)
                        .for_each(|(result, winner)| self.leave_empty(block, result, winner));
                    continue;
                }
                let row = &input[(down.first(dilation[0]) - reads.start) * apart..];
                let steps = [dilation[0] * apart, dilation[1]];
                let whole = if down.valid == (0..kernel[0]) { self.whole.clone() } else { 0..0 };
                for column in (0..whole.start).chain(whole.end..width) {
                    let (right, result, winner) = (&self.axes[1][column], &mut results[column], &mut winners[column]);
                    if right.valid.is_empty() {
                        self.leave_empty(block, result, winner);
                        continue;
                    }
                    let (from, valid) = (&row[right.first(dilation[1])..], [down.valid.clone(), right.valid.clone()]);
                    keep::<V>(best_of::<V>(from, valid, kernel[1], steps), floor, result, winner);
                }
                let (results, winners) = (&mut results[whole.clone()], &mut winners[whole.clone()]);
                let mut first = self.axes[1].get(whole.start).map_or(0, |taps| taps.first(dilation[1]));
                for (result, winner) in results.iter_mut().zip(winners) {
                    let from = &row[first..];
                    // The usual ones with counts that the compiler sees.
                    let best = match kernel {
                        [2, 2] => best_of::<V>(from, [0..2, 0..2], 2, steps),
                        [3, 3] => best_of::<V>(from, [0..3, 0..3], 3, steps),
                        _ => best_of::<V>(from, kernel.map(|taps| 0..taps), kernel[1], steps),
                    };
                    keep::<V>(best, floor, result, winner);
                    first += stride[1];
                }
            }
        }
    }
}

impl<T: Element> Forward<'_, T> {
    /// Writes the result of a window that has no tap inside the input.
    fn leave_empty(&self, block: usize, result: &mut [T; LANES], winner: &mut [u8; LANES]) {
        (*result, *winner) = ([T::NEG_INFINITY; LANES], [0; LANES]);
        clear_padding(self.region.channels, block, result);
    }
}

/// Writes a maximum, and which tap it is; nobody where it is at the floor.
#[inline(always)]
fn keep<V: Vector>((best, which): (V, V), floor: V, result: &mut [V::Element; LANES], winner: &mut [u8; LANES]) {
    let nobody = V::splat(V::Element::from_f64(f64::from(NOBODY)));
    let which = which.sub(nobody).unless_at_most(best, floor).add(nobody);
    // SAFETY: sixteen numbers and bytes.
    unsafe {
        best.store(result.as_mut_ptr());
        which.store_bytes(winner.as_mut_ptr());
    }
}

/// The maximum of the taps of a window that are inside the input, and which tap it is, where a row has `kernel` of them.
/// `input` begins at the first; neighbours are so many pixels apart, down and right.
#[inline(always)]
fn best_of<V: Vector>(
    input: &[[V::Element; LANES]],
    [down, right]: [Range<usize>; 2],
    kernel: usize,
    apart: [usize; 2],
) -> (V, V) {
    let mut best = V::splat(V::Element::NEG_INFINITY);
    // Where all is −∞ the first tap wins.
    let mut which = V::splat(V::Element::from_f64((down.start * kernel + right.start) as f64));
    for y in down.clone() {
        for x in right.clone() {
            let from = &input[(y - down.start) * apart[0] + (x - right.start) * apart[1]];
            // SAFETY: sixteen numbers.
            let value = unsafe { V::load(from.as_ptr()) };
            let tap = V::splat(V::Element::from_f64((y * kernel + x) as f64));
            which = value.select_above(best, tap, which);
            best = value.select_above(best, value, best);
        }
    }
    (best, which)
}

struct Backward<'a, T> {
    gradient: View<'a, T>,
    /// What counts towards the tap's number.
    axes: &'a [Cover<T>; 2],
    /// Of windows that have no position in common, the columns of each, with what counts towards the tap's number.
    columns: &'a [Vec<(usize, T)>],
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
        let width = self.region.width;
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let block = at.blocks.start + number;
            let gradient = rows::<V>(&self.gradient, [at.image, block], &reads, &mut *scratch);
            let start = self.region.at(at.image, block, 0, 0) + reads.start * width * LANES;
            let winners = &self.winners[start.min(self.winners.len())..][..gradient.len()];
            let outputs = Outputs { gradient: gradient.as_chunks().0, winners: winners.as_chunks().0 };
            let rows = results.as_chunks_mut().0.chunks_exact_mut(self.width);
            for (y, to) in down.clone().zip(rows) {
                let above = self.axes[0].at(y);
                if self.columns.is_empty() {
                    for (x, to) in to.iter_mut().enumerate() {
                        outputs.sum::<V>(above, self.axes[1].at(x), [reads.start, width], to);
                    }
                    continue;
                }
                to.as_flattened_mut().fill(T::ZERO);
                for (row, above) in above {
                    let first = (row - reads.start) * width;
                    for (column, positions) in self.columns.iter().enumerate() {
                        outputs.send::<V>(first + column, *above, positions, to);
                    }
                }
            }
        }
    }
}

/// Some rows of a block of the gradient, with the winners.
#[derive(Clone, Copy)]
struct Outputs<'a, T> {
    gradient: &'a [[T; LANES]],
    winners: &'a [[u8; LANES]],
}

impl<T: Element> Outputs<'_, T> {
    /// Gradient and winner of an output.
    #[inline(always)]
    fn at<V: Vector<Element = T>>(&self, output: usize) -> (V, V) {
        // SAFETY: sixteen numbers and bytes.
        unsafe { (V::load(self.gradient[output].as_ptr()), V::load_bytes(self.winners[output].as_ptr())) }
    }

    /// Writes the sum of what a position wins. The first row is `rows[0]`; a row has `rows[1]` outputs.
    #[inline(always)]
    fn sum<V: Vector<Element = T>>(
        &self,
        above: &[(usize, T)],
        right: &[(usize, T)],
        rows: [usize; 2],
        to: &mut [T; LANES],
    ) {
        let mut sum = V::zero();
        for (row, above) in above {
            for (column, tap) in right {
                let (gradient, winner) = self.at::<V>((row - rows[0]) * rows[1] + column);
                sum = gradient.where_equal(winner, V::splat(*above + *tap)).add(sum);
            }
        }
        // SAFETY: sixteen numbers.
        unsafe { sum.store(to.as_mut_ptr()) };
    }

    /// Writes what each position of a window wins, where no other window has it.
    #[inline(always)]
    fn send<V: Vector<Element = T>>(&self, output: usize, above: T, positions: &[(usize, T)], to: &mut [[T; LANES]]) {
        let (gradient, winner) = self.at::<V>(output);
        for (position, tap) in positions {
            let won = gradient.where_equal(winner, V::splat(above + *tap)).add(V::zero());
            // SAFETY: sixteen numbers.
            unsafe { won.store(to[*position].as_mut_ptr()) };
        }
    }
}
