//! How the tiles are cut into parts.

use super::super::shape::Bundles;
use super::planes::PLANES;
use crate::conv::tile::even;
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
/// Tiles beside each other at most, so that those of several rows fit.
const ACROSS: usize = 16;

/// How the tiles are cut into parts. It depends on shapes alone, but for `splits`, which changes no sum.
pub(super) struct Cut {
    /// Outputs of a tile along an axis.
    out: usize,
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
    /// Outputs of a tile along an axis.
    out: usize,
    pub(super) images: Range<usize>,
    pub(super) tiles: [Range<usize>; 2],
    /// Pixels of a map.
    whole: [usize; 2],
}

impl Cut {
    pub(super) fn new(out: usize, bundles: &Bundles, batch: usize, size: [usize; 2], panels: usize) -> Self {
        let [down, across] = size.map(|pixels| pixels.div_ceil(out));
        let (blocks, tiles) = (bundles.ins.div_ceil(LANES).max(1), (batch * down * across).max(1));
        let per_tile = PLANES * blocks * LANES;
        // What is smaller is shared by all tasks.
        let at_once = bundles.outs > tiles && per_tile * tiles <= AT_ONCE;
        let most = (PART / per_tile).clamp(FEWEST, MOST);
        // Enough parts for many threads, but not of fewer tiles than the micro-kernel takes; with many outputs threads
        // may share a part.
        let most = if bundles.outs >= 256 { most } else { most.min(tiles.div_ceil(16)).max(14) };
        let (rows, columns, images) = if at_once {
            (down.max(1), across.max(1), batch.max(1))
        } else {
            let columns = even(across, most.min(ACROSS));
            let rows = even(down, most / columns);
            let whole = columns >= across && rows >= down;
            (rows, columns, if whole { even(batch, most / (rows * columns)) } else { 1 })
        };
        let counts = [batch.div_ceil(images), down.div_ceil(rows), across.div_ceil(columns)];
        let splits = (2 * threads()).div_ceil(counts.iter().product::<usize>().max(1)).clamp(1, panels.max(1));
        Self { out, batch, size, images, span: [rows, columns], counts, splits, at_once }
    }

    pub(super) fn parts(&self) -> usize {
        self.counts.iter().product()
    }

    pub(super) fn part(&self, number: usize) -> Part {
        let range = |number: usize, step: usize, end: usize| number * step..((number + 1) * step).min(end);
        let [_, down, across] = self.counts;
        let [height, width] = self.size.map(|pixels| pixels.div_ceil(self.out));
        let images = range(number / (down * across), self.images, self.batch);
        let tiles = [range(number / across % down, self.span[0], height), range(number % across, self.span[1], width)];
        Part { number, out: self.out, images, tiles, whole: self.size }
    }
}

impl Part {
    /// Number of tiles.
    pub(super) fn count(&self) -> usize {
        self.images.len() * self.tiles[0].len() * self.tiles[1].len()
    }

    /// Rows and columns of its outputs.
    pub(super) fn size(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.tiles[axis].end * self.out).min(self.whole[axis]) - self.tiles[axis].start * self.out)
    }

    /// Number of pixels of all its outputs.
    pub(super) fn pixels(&self) -> usize {
        let [rows, columns] = self.size();
        self.images.len() * rows * columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tile_is_in_one_part() {
        for (batch, ins, outs, size) in [
            (1, 64, 64, [224, 223]),
            (9, 16, 16, [9, 70]),
            (5, 512, 512, [7, 7]),
            (3, 700, 20, [1, 300]),
            (2, 1, 1, [0, 5]),
        ] {
            let cut = Cut::new(4, &Bundles { count: 1, ins, outs }, batch, size, outs.div_ceil(2 * LANES));
            let tiles = batch * size[0].div_ceil(4) * size[1].div_ceil(4);
            assert_eq!((0..cut.parts()).map(|part| cut.part(part).count()).sum::<usize>(), tiles);
            assert_eq!((0..cut.parts()).map(|part| cut.part(part).pixels()).sum::<usize>(), batch * size[0] * size[1]);
        }
    }
}
