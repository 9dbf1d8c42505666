//! Pooling: windows reduced to a number per channel. A task computes all there is of its pixels, of the input or of the output;
//! bound by loads from the cache, and where windows do not overlap by memory.

mod average;
mod max;
mod window;

pub use average::{Average, Span};
pub use max::Max;
pub(crate) use window::{Window, Windows, share};

use crate::simd::{LANES, Vector};
use crate::view::{Map, View};
use std::ops::Range;

/// For each position of an input's axis, the outputs whose windows cover it, each with what the pool says of it.
struct Cover<X> {
    /// Where each position's entries start; one more at the end.
    starts: Vec<usize>,
    entries: Vec<(usize, X)>,
}

impl<X: Copy> Cover<X> {
    /// From the positions each output covers, as (position, saying).
    fn new(input: usize, outputs: &[Vec<(usize, X)>]) -> Self {
        let mut lists = vec![Vec::new(); input];
        for (output, covered) in outputs.iter().enumerate() {
            for (position, saying) in covered {
                lists[*position].push((output, *saying));
            }
        }
        let mut starts = vec![0];
        let mut entries = Vec::new();
        for list in lists {
            entries.extend(list);
            starts.push(entries.len());
        }
        Self { starts, entries }
    }

    /// Whether no position is covered twice.
    fn is_of_one_each(&self) -> bool {
        self.starts.windows(2).all(|starts| starts[1] - starts[0] <= 1)
    }

    #[inline(always)]
    fn at(&self, position: usize) -> &[(usize, X)] {
        &self.entries[self.starts[position]..self.starts[position + 1]]
    }

    /// The range of outputs some positions reach.
    fn outputs(&self, positions: &Range<usize>) -> Range<usize> {
        let (mut low, mut high) = (usize::MAX, 0);
        for (output, _) in &self.entries[self.starts[positions.start]..self.starts[positions.end]] {
            low = low.min(*output);
            high = high.max(output + 1);
        }
        low.min(high)..high
    }
}

/// Some rows of a block of a view, mapped; as they lie in memory where the map does nothing.
#[inline(always)]
fn rows<'s, V: Vector>(
    view: &View<'s, V::Element>,
    [image, block]: [usize; 2],
    rows: &Range<usize>,
    scratch: &'s mut [V::Element],
) -> &'s [V::Element] {
    let width = view.region.width;
    let length = rows.len() * width * LANES;
    if length == 0 {
        return &[];
    }
    if let Map::Identity = view.map {
        return &view.data[view.region.at(image, block, rows.start, 0)..][..length];
    }
    view.flat().read::<V>([image, block, 0, rows.start * width], rows.len() * width, scratch);
    &scratch[..length]
}

/// Scratch memory [`rows`] takes.
fn rows_scratch<T>(view: &View<'_, T>, rows: &Range<usize>) -> usize {
    if let Map::Identity = view.map { 0 } else { rows.len() * view.region.width * LANES }
}
