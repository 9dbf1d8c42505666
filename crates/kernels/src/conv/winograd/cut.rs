//! How the tiles are cut into parts, and when the algorithm pays.

use super::super::Bundles;
use super::{PLANES, outputs};
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

/// Whether the algorithm is likely to take less time than the direct computation, of which it must promise a tenth.
///
/// `taps` are those along either axis that meet more than padding; the direct computation leaves the others out.
///
/// Both are counted in multiply-adds of a vector: those of the products, the work per block of channels read or
/// written, and the preparation of the filters, which is bound by memory and so about the same. The factors were fitted
/// to times on a CPU with AVX-512.
pub(super) fn pays(bundles: &Bundles, kernel: usize, taps: [usize; 2], batch: usize, size: [usize; 2]) -> bool {
    // For each tap of a vector of filters.
    const PREPARED: f64 = 100.0;
    let count = |step: usize| (batch * size[0].div_ceil(step) * size[1].div_ceil(step)) as f64;
    let (pixels, tiles) = (count(1), count(outputs(kernel)));
    let (taps, ins, outs) = ((taps[0] * taps[1]) as f64, bundles.ins as f64, bundles.outs.div_ceil(LANES) as f64);
    let blocks = bundles.ins.div_ceil(LANES) as f64 + outs;
    let all = (kernel * kernel) as f64;
    let direct = pixels * (1.09 * taps * ins * outs + 25.0 * blocks) + PREPARED * taps * ins * outs;
    let filters = PREPARED * all * ins * outs;
    let winograd = tiles * (36.0 * outs * (1.15 * ins + 6.0) + 620.0 * blocks) + filters;
    1.1 * winograd < direct
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(batch: usize, ins: usize, outs: usize, size: usize) -> bool {
        let taps = if size == 1 { 1 } else { 3 };
        pays(&Bundles { count: 1, ins, outs }, 3, [taps; 2], batch, [size; 2])
    }

    #[test]
    fn it_pays_for_most_convolutions_of_networks() {
        for (channels, size) in [(64, 56), (128, 28), (256, 14), (512, 7), (64, 224), (512, 28), (64, 8), (128, 4)] {
            assert!(chosen(1, channels, channels, size) && chosen(8, channels, channels, size), "{channels}@{size}");
        }
        assert!(chosen(128, 16, 16, 32) && chosen(8, 128, 32, 56));
    }

    #[test]
    fn it_does_not_pay_for_colours_or_maps_smaller_than_a_tile() {
        assert!(!chosen(8, 3, 64, 224) && !chosen(128, 3, 16, 32) && !chosen(64, 1, 6, 28));
        assert!(
            !chosen(64, 512, 512, 1) && !chosen(1, 512, 512, 1) && !chosen(64, 256, 256, 2) && !chosen(0, 64, 64, 8)
        );
    }

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
