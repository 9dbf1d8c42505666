//! The maxima, and which tap of its window each is.

use super::super::{rows, rows_scratch};
use super::{Max, NOBODY, Taps};
use crate::buffer::Shared;
use crate::element::Element;
use crate::pieces::{At, Fill, clear_padding};
use crate::region::Region;
use crate::simd::{LANES, Vector};
use crate::view::{View, channel};
use std::ops::Range;

pub(super) struct Forward<'a, T> {
    pub(super) max: Max,
    pub(super) input: View<'a, T>,
    /// The floor of each channel, where the winners tell of it.
    pub(super) floor: Option<&'a [T]>,
    pub(super) axes: &'a [Vec<Taps>; 2],
    /// Columns of windows that have all their taps inside the input.
    pub(super) whole: Range<usize>,
    pub(super) winners: Shared<'a, u8>,
    pub(super) region: Region,
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
        let reads = self.reads(at);
        let down = &self.axes[0][at.pixels.start / width..at.pixels.end / width];
        for (number, results) in results.chunks_exact_mut(pixels * LANES).enumerate() {
            let block = at.blocks.start + number;
            let input = rows::<V>(&self.input, [at.image, block], &reads, &mut *scratch).as_chunks().0;
            let start = self.region.at(at.image, block, 0, 0) + at.pixels.start * LANES;
            let floor = self.floor.map_or(V::splat(T::NAN), |floor| channel::<V>(floor, block));
            // SAFETY: the pieces divide blocks and pixels among the tasks.
            let winners = unsafe { self.winners.part(start..start + pixels * LANES) };
            let results = results.as_chunks_mut().0.chunks_exact_mut(width);
            let winners = winners.as_chunks_mut().0.chunks_exact_mut(width);
            for (down, to) in down.iter().zip(results.zip(winners)) {
                let input = match down.valid.is_empty() {
                    true => &[],
                    false => &input[(down.first(self.max.dilation[0]) - reads.start) * self.input.region.width..],
                };
                self.row::<V>(input, block, down, floor, to);
            }
        }
    }
}

impl<T: Element> Forward<'_, T> {
    /// Writes a row of results and of winners; `input` begins with the first row that its windows reach.
    #[inline(always)]
    fn row<V: Vector<Element = T>>(
        &self,
        input: &[[T; LANES]],
        block: usize,
        down: &Taps,
        floor: V,
        (results, winners): (&mut [[T; LANES]], &mut [[u8; LANES]]),
    ) {
        let Max { kernel, stride, dilation, .. } = self.max;
        let steps = [dilation[0] * self.input.region.width, dilation[1]];
        let whole = if down.is_whole(kernel[0]) { self.whole.clone() } else { 0..0 };
        for column in (0..whole.start).chain(whole.end..results.len()) {
            let (right, result, winner) = (&self.axes[1][column], &mut results[column], &mut winners[column]);
            if down.valid.is_empty() || right.valid.is_empty() {
                (*result, *winner) = ([T::NEG_INFINITY; LANES], [0; LANES]);
                clear_padding(self.region.channels, block, result);
                continue;
            }
            let (from, valid) = (&input[right.first(dilation[1])..], [down.valid.clone(), right.valid.clone()]);
            keep::<V>(best_of::<V>(from, valid, kernel[1], steps), floor, result, winner);
        }
        let (results, winners) = (&mut results[whole.clone()], &mut winners[whole.clone()]);
        let mut first = self.axes[1].get(whole.start).map_or(0, |taps| taps.first(dilation[1]));
        for (result, winner) in results.iter_mut().zip(winners) {
            let from = &input[first..];
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
