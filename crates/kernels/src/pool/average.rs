//! Average pooling.

use super::{Cover, rows, rows_scratch, share};
use crate::element::Element;
use crate::pieces::{At, Fill, Grain, fill};
use crate::region::Region;
use crate::simd::{InstructionSet, LANES, Vector};
use crate::sink::Sink;
use crate::view::View;
use std::ops::Range;

/// A window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First position.
    pub start: usize,
    /// One past the last position.
    pub end: usize,
    /// What the sum is divided by, times the other axis' number: the positions covered, with or without padding.
    /// A window divided by 0 gives 0.
    pub divisor: usize,
}

/// The mean over windows, given one by one for each axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Average {
    /// Windows of the rows, and of the columns.
    pub spans: [Vec<Span>; 2],
}

impl Average {
    /// One window over maps of this height and width.
    pub fn global(size: [usize; 2]) -> Self {
        Self { spans: size.map(|length| vec![Span { start: 0, end: length, divisor: length }]) }
    }

    /// Writes the means to `output`.
    ///
    /// # Panics
    ///
    /// Where the shapes do not fit.
    pub fn forward<T: Element>(&self, set: InstructionSet, input: &View<'_, T>, output: Sink<'_, T>) {
        T::average_forward(self, set, input, output);
    }

    pub(crate) fn compute_forward<T: Element>(&self, set: InstructionSet, input: &View<'_, T>, output: Sink<'_, T>) {
        input.check();
        let to = *output.region();
        self.check(&input.region, &to);
        let cost = (input.region.pixels() / to.pixels().max(1)).max(1);
        let forward = Forward { average: self, input: *input };
        fill(set, Grain { row: to.width, cost, whole: false }, &forward, output);
    }

    /// Sends the gradient of the output back to the input.
    ///
    /// # Panics
    ///
    /// Where the shapes do not fit.
    pub fn backward<T: Element>(&self, set: InstructionSet, gradient: &View<'_, T>, input: Sink<'_, T>) {
        T::average_backward(self, set, gradient, input);
    }

    pub(crate) fn compute_backward<T: Element>(&self, set: InstructionSet, gradient: &View<'_, T>, input: Sink<'_, T>) {
        gradient.check();
        let from = *input.region();
        self.check(&from, &gradient.region);
        let axis = |axis: usize, input: usize| {
            let covered = self.spans[axis].iter().map(|span| {
                let share = T::from_f64(share(span.divisor, 1));
                (span.start..span.end).map(|position| (position, share)).collect::<Vec<_>>()
            });
            Cover::new(input, &covered.collect::<Vec<_>>())
        };
        let axes = [axis(0, from.height), axis(1, from.width)];
        let backward = Backward { gradient: *gradient, axes: &axes, width: from.width };
        fill(set, Grain { row: from.width, cost: 1, whole: false }, &backward, input);
    }

    fn check(&self, input: &Region, output: &Region) {
        assert_eq!([input.batch, input.channels], [output.batch, output.channels]);
        assert_eq!([self.spans[0].len(), self.spans[1].len()], [output.height, output.width]);
        for (spans, length) in self.spans.iter().zip([input.height, input.width]) {
            assert!(spans.iter().all(|span| span.start <= span.end && span.end <= length));
        }
    }
}

struct Forward<'a, T> {
    average: &'a Average,
    input: View<'a, T>,
}

impl<T> Forward<'_, T> {
    /// The rows of the output that a piece is.
    #[inline(always)]
    fn down(&self, at: &At) -> &[Span] {
        let width = self.average.spans[1].len();
        &self.average.spans[0][at.pixels.start / width..at.pixels.end / width]
    }

    /// The rows of the input that a piece reads.
    #[inline(always)]
    fn reads(&self, at: &At) -> Range<usize> {
        let (mut low, mut high) = (usize::MAX, 0);
        for span in self.down(at) {
            if span.start < span.end {
                low = low.min(span.start);
                high = high.max(span.end);
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
        let (pixels, width) = (at.pixels.len(), self.input.region.width);
        let reads = self.reads(at);
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let input = rows::<V>(&self.input, [at.image, at.blocks.start + number], &reads, &mut *scratch);
            let mut to = results.chunks_exact_mut(LANES);
            for down in self.down(at) {
                for right in &self.average.spans[1] {
                    let Some(to) = to.next() else { return };
                    let (rows, mut columns) = (down.end - down.start, right.end - right.start);
                    let mut starts = down.start..down.end;
                    if columns == width && rows > 0 {
                        // Whole rows are one run.
                        starts = down.start..down.start + 1;
                        columns *= rows;
                    }
                    let mut sum = V::zero();
                    for row in starts {
                        let first = ((row - reads.start) * width + right.start) * LANES;
                        sum = sum.add(run::<V>(&input[first..][..columns * LANES]));
                    }
                    let share = share(down.divisor, right.divisor);
                    // SAFETY: sixteen numbers.
                    unsafe { sum.mul(V::splat(T::from_f64(share))).store(to.as_mut_ptr()) };
                }
            }
        }
    }
}

/// The sum of some pixels, in four sums side by side: additions take longer than they need to start.
#[inline(always)]
fn run<V: Vector>(pixels: &[V::Element]) -> V {
    let mut sums = [V::zero(); 4];
    let fours = pixels.len() / (4 * LANES) * (4 * LANES);
    for i in (0..fours).step_by(4 * LANES) {
        for (number, sum) in sums.iter_mut().enumerate() {
            // SAFETY: within `pixels`.
            *sum = sum.add(unsafe { V::load(pixels.as_ptr().add(i + number * LANES)) });
        }
    }
    for i in (fours..pixels.len()).step_by(LANES) {
        // SAFETY: as above; whole pixels.
        sums[0] = sums[0].add(unsafe { V::load(pixels.as_ptr().add(i)) });
    }
    sums[0].add(sums[1]).add(sums[2].add(sums[3]))
}

struct Backward<'a, T> {
    gradient: View<'a, T>,
    /// A window's share along the axis.
    axes: &'a [Cover<T>; 2],
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
        let stride = self.gradient.region.width * LANES;
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let gradient = rows::<V>(&self.gradient, [at.image, at.blocks.start + number], &reads, &mut *scratch);
            let mut to = results.chunks_exact_mut(LANES);
            for y in down.clone() {
                for x in 0..self.width {
                    let Some(to) = to.next() else { return };
                    let mut sum = V::zero();
                    for (row, above) in self.axes[0].at(y) {
                        for (column, share) in self.axes[1].at(x) {
                            let from = (row - reads.start) * stride + column * LANES;
                            // SAFETY: sixteen numbers.
                            let g = unsafe { V::load(gradient[from..][..LANES].as_ptr()) };
                            sum = g.mul_add(V::splat(*above * *share), sum);
                        }
                    }
                    // SAFETY: sixteen numbers.
                    unsafe { sum.store(to.as_mut_ptr()) };
                }
            }
        }
    }
}
