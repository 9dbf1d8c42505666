//! How the tiles are cut into parts, and when the algorithm pays.

use super::super::Bundles;
use super::{OUT, PLANES};
use crate::simd::LANES;
use crate::threads::threads;
use std::ops::Range;

/// Numbers the transformed inputs of a part may be where that leaves enough tiles: what leaves room for a panel of
/// filters in a second-level cache of 1 MiB.
const PART: usize = 96 * 1024;
/// Numbers the transformed inputs may be that all tasks share.
const AT_ONCE: usize = 4 * 1024 * 1024;
/// Tiles of a part at least, where there are that many: each part reads all filters.
const FEWEST: usize = 28;
/// Tiles of a part at most, which bounds the products.
const MOST: usize = 112;
/// Tiles beside each other at most, which bounds the band of a row of tiles.
const ACROSS: usize = 16;

/// How the tiles are cut into parts. It depends on shapes alone, but for `splits`, which changes no sum.
pub(super) struct Cut {
    batch: usize,
    /// Pixels of a map.
    size: [usize; 2],
    images: usize,
    /// Tiles of a part.
    span: [usize; 2],
    counts: [usize; 3],
    /// Shares of the panels, each with a task of its own.
    pub(super) splits: usize,
    /// Whether all tiles are one part, shared by all tasks, rather than the filters.
    pub(super) at_once: bool,
}

/// Some tiles: those of some images at the same place.
pub(super) struct Part {
    pub(super) number: usize,
    pub(super) images: Range<usize>,
    pub(super) tiles: [Range<usize>; 2],
    /// Pixels of a map.
    whole: [usize; 2],
}

impl Cut {
    pub(super) fn new(bundles: &Bundles, batch: usize, size: [usize; 2], panels: usize) -> Self {
        let [down, across] = size.map(|pixels| pixels.div_ceil(OUT));
        let blocks = bundles.ins.div_ceil(LANES).max(1);
        let tiles = (batch * down * across).max(1);
        // Enough parts for many threads, if they do not become too small; where there are many outputs threads share
        // the parts.
        let enough = (PART / (PLANES * blocks * LANES)).clamp(FEWEST, MOST);
        let most = tiles.div_ceil(16).clamp(14, enough.max(14));
        let most = if bundles.outs >= 256 { enough } else { most };
        let even = |count: usize, most: usize| count.div_ceil(count.div_ceil(most.max(1)).max(1)).max(1);
        let columns = even(across, most.min(ACROSS));
        let rows = if columns >= across { even(down, most / columns) } else { even(down, most / columns) };
        let whole = columns >= across && rows >= down;
        let images = if whole { even(batch, most / (rows * columns)) } else { 1 };
        let at_once = bundles.outs > tiles && PLANES * blocks * LANES * tiles <= AT_ONCE;
        let (images, columns, rows) =
            if at_once { (batch.max(1), across.max(1), down.max(1)) } else { (images, columns, rows) };
        let counts = [batch.div_ceil(images), down.div_ceil(rows), across.div_ceil(columns)];
        let parts = counts.iter().product::<usize>().max(1);
        let splits = (2 * threads()).div_ceil(parts).clamp(1, panels.max(1));
        Self { batch, size, images, span: [rows, columns], counts, splits, at_once }
    }

    pub(super) fn parts(&self) -> usize {
        self.counts.iter().product()
    }

    pub(super) fn part(&self, number: usize) -> Part {
        let range = |number: usize, step: usize, end: usize| number * step..((number + 1) * step).min(end);
        let [_, down, across] = self.counts;
        let [height, width] = self.size.map(|pixels| pixels.div_ceil(OUT));
        let images = range(number / (down * across), self.images, self.batch);
        let tiles = [range(number / across % down, self.span[0], height), range(number % across, self.span[1], width)];
        Part { number, images, tiles, whole: self.size }
    }
}

impl Part {
    /// Number of tiles.
    pub(super) fn count(&self) -> usize {
        self.images.len() * self.tiles[0].len() * self.tiles[1].len()
    }

    /// Rows and columns of its outputs.
    pub(super) fn size(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.tiles[axis].end * OUT).min(self.whole[axis]) - self.tiles[axis].start * OUT)
    }

    /// Number of pixels of all its outputs.
    pub(super) fn pixels(&self) -> usize {
        let [rows, columns] = self.size();
        self.images.len() * rows * columns
    }
}

/// Whether the algorithm is likely to take less time than the direct computation.
pub(super) fn pays(bundles: &Bundles, batch: usize, size: [usize; 2]) -> bool {
    let _ = (bundles, batch, size);
    false
}
