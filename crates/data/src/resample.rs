//! Stretching bytes to bytes, as the Python Imaging Library does: across and down, with 22 binary places, rounded after
//! each.

use crate::Interpolation;
use std::ops::Range;

/// Binary places of a weight.
const PLACES: u32 = 22;
/// What is added before the places are cut off, so that halves round up.
const HALF: i32 = 1 << (PLACES - 1);
/// Longer lines have their nearest pixels computed one by one, not by adding up: Pillow makes none so long.
const LONGEST: usize = 1 << 24;

/// Bytes between the two passes, where they would be more.
const BETWEEN: usize = 1 << 25;

/// A part of the stretched image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) top: usize,
    pub(crate) left: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// A stretch worked out for images of one size, and cut to a window.
pub(crate) struct Resample {
    rows: Taps,
    columns: Taps,
    /// Whether it is stretched down before it is stretched across. The order shows in the rounding.
    down_first: bool,
}

/// For each new pixel of a line the old ones that make it: from its start on, as many as every pixel takes, those that are
/// not needed by weight 0.
struct Taps {
    starts: Vec<usize>,
    weights: Vec<i32>,
    /// How many old pixels each takes, at least one.
    each: usize,
}

/// A line of `from` pixels that becomes one of `to`.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: usize,
    to: usize,
}

impl Resample {
    /// From `from` to `to` (heights and widths), of which `window` is kept.
    pub(crate) fn new(from: [usize; 2], to: [usize; 2], window: Window, filter: Interpolation) -> Self {
        let Window { top, left, height, width } = window;
        Self {
            rows: Taps::new(Stretch { from: from[0], to: to[0] }, filter, [top, height]),
            columns: Taps::new(Stretch { from: from[1], to: to[1] }, filter, [left, width]),
            // Where far more rows fall away than columns it is less work: Pillow from version 13 on.
            down_first: from[0] > to[0] && from[0] - to[0] > from[1].saturating_sub(to[1]).saturating_mul(2),
        }
    }

    /// Height and width of the window.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.rows.len(), self.columns.len()]
    }

    /// The window of one stretched channel, whose rows are `width` long before.
    pub(crate) fn plane(&self, plane: &[u8], width: usize) -> Vec<u8> {
        let mut out = vec![0; self.rows.len() * self.columns.len()];
        match self.down_first {
            true => self.down_and_across(plane, width, &mut out),
            false => self.across_and_down(plane, width, &mut out),
        }
        out
    }

    fn down_and_across(&self, plane: &[u8], width: usize, out: &mut [u8]) {
        let mut low = vec![0; self.rows.len() * width];
        self.rows.down(0..self.rows.len(), plane, 0, &mut low);
        for (line, out) in low.chunks_exact(width).zip(out.chunks_exact_mut(self.columns.len().max(1))) {
            self.columns.across(line, out);
        }
    }

    fn across_and_down(&self, plane: &[u8], width: usize, out: &mut [u8]) {
        let across = self.columns.len().max(1);
        let mut wide = Vec::new();
        // All rows at once, unless the lines that they need are very many.
        let rows = (BETWEEN / (self.rows.each * across)).clamp(1, self.rows.len().max(1));
        for (block, out) in out.chunks_mut(rows * across).enumerate() {
            let block = block * rows..(block * rows + rows).min(self.rows.len());
            let starts = &self.rows.starts[block.clone()];
            let first = starts.iter().copied().min().unwrap_or(0);
            let end = starts.iter().copied().max().map_or(0, |start| start + self.rows.each);
            wide.resize((end - first) * across, 0);
            let lines = plane[first * width..end * width].chunks_exact(width);
            for (line, out) in lines.zip(wide.chunks_exact_mut(across)) {
                self.columns.across(line, out);
            }
            self.rows.down(block, &wide, first, out);
        }
    }
}

impl Taps {
    /// Of the new pixels `count` from `first` on.
    fn new(line: Stretch, filter: Interpolation, [first, count]: [usize; 2]) -> Self {
        let made: Vec<(usize, Vec<i32>)> = match filter.reach() {
            Some(reach) => (first..first + count).map(|index| line.filtered(index, filter, reach)).collect(),
            None => line.nearest(first, count),
        };
        // All of one length, so that the loops over them have one. Where that would go beyond the line they begin earlier.
        let each = made.iter().map(|(_, weights)| weights.len()).max().unwrap_or(0).max(1);
        let (mut starts, mut padded) = (Vec::with_capacity(count), vec![0; count * each]);
        for ((start, weights), padded) in made.iter().zip(padded.chunks_exact_mut(each)) {
            let earlier = (*start).min(line.from - each);
            let shift = start - earlier;
            padded[shift..shift + weights.len()].copy_from_slice(weights);
            starts.push(earlier);
        }
        Self { starts, weights: padded, each }
    }

    fn len(&self) -> usize {
        self.starts.len()
    }

    /// New pixels of one line from its old ones.
    fn across(&self, line: &[u8], out: &mut [u8]) {
        match self.each {
            1 => self.across_few::<1>(line, out),
            2 => self.across_few::<2>(line, out),
            3 => self.across_few::<3>(line, out),
            4 => self.across_few::<4>(line, out),
            5 => self.across_few::<5>(line, out),
            6 => self.across_few::<6>(line, out),
            7 => self.across_few::<7>(line, out),
            8 => self.across_few::<8>(line, out),
            9 => self.across_few::<9>(line, out),
            each => {
                for ((start, weights), out) in self.starts.iter().zip(self.weights.chunks_exact(each)).zip(out) {
                    *out = byte(dot(&line[*start..start + each], weights));
                }
            }
        }
    }

    /// The same with a length that the compiler knows.
    fn across_few<const EACH: usize>(&self, line: &[u8], out: &mut [u8]) {
        let (weights, _) = self.weights.as_chunks::<EACH>();
        for ((start, weights), out) in self.starts.iter().zip(weights).zip(out) {
            if let Some(pixels) = line[*start..].first_chunk::<EACH>() {
                *out = byte(dot(pixels, weights));
            }
        }
    }

    /// The new lines of `block` from old ones, the first of which is line `first` of the image.
    fn down(&self, block: Range<usize>, wide: &[u8], first: usize, out: &mut [u8]) {
        let across = (out.len() / block.len().max(1)).max(1);
        let mut sums = vec![0_i32; across];
        let weights = self.weights[block.start * self.each..].chunks_exact(self.each);
        for ((start, weights), out) in self.starts[block].iter().zip(weights).zip(out.chunks_exact_mut(across)) {
            sums.fill(HALF);
            let old = wide[(start - first) * across..].chunks_exact(across);
            for (weight, line) in weights.iter().zip(old).filter(|(weight, _)| **weight != 0) {
                for (sum, pixel) in sums.iter_mut().zip(line) {
                    *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(*pixel)));
                }
            }
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out = byte(*sum);
            }
        }
    }
}

fn dot(pixels: &[u8], weights: &[i32]) -> i32 {
    let products = pixels.iter().zip(weights).map(|(pixel, weight)| weight.wrapping_mul(i32::from(*pixel)));
    products.fold(HALF, i32::wrapping_add)
}

fn byte(sum: i32) -> u8 {
    (sum >> PLACES).clamp(0, 255) as u8
}

impl Stretch {
    /// What makes new pixel `index`: the first old pixel, and the weights from there on, which sum to 1.
    fn filtered(self, index: usize, filter: Interpolation, reach: f64) -> (usize, Vec<i32>) {
        let scale = self.from as f64 / self.to as f64;
        let shrunk = scale.max(1.0);
        let reach = reach * shrunk;
        let centre = (index as f64 + 0.5) * scale;
        let start = ((centre - reach + 0.5) as usize).min(self.from - 1);
        let end = ((centre + reach + 0.5) as usize).min(self.from);
        let inverse = 1.0 / shrunk;
        let heights: Vec<f64> =
            (start..end).map(|pixel| filter.height((pixel as f64 - centre + 0.5) * inverse)).collect();
        // One after the other, as Pillow adds.
        let total: f64 = heights.iter().fold(0.0, |total, height| total + height);
        let fixed = |height: &f64| {
            let weight = if total == 0.0 { *height } else { height / total };
            (weight * f64::from(1 << PLACES) + 0.5_f64.copysign(weight)) as i32
        };
        (start, heights.iter().map(fixed).collect())
    }

    /// The old pixel under the centre of each new one. Pillow adds the distance up, and rounding with it; a sum that comes
    /// to lie beyond the line makes black.
    fn nearest(self, first: usize, count: usize) -> Vec<(usize, Vec<i32>)> {
        let scale = self.from as f64 / self.to as f64;
        let taken = |place: f64| match place as usize {
            old if old < self.from => (old, vec![1 << PLACES]),
            _ => (self.from - 1, vec![0]),
        };
        if self.to > LONGEST {
            return (first..first + count).map(|index| taken((index as f64 + 0.5) * scale)).collect();
        }
        let places = std::iter::successors(Some(scale * 0.5), |place| Some(place + scale));
        places.skip(first).take(count).map(taken).collect()
    }
}
