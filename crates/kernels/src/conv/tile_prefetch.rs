//! What the next tile will read, asked for while this one is multiplied.
//!
//! Filling a tile is bound by memory, multiplying it by the multiply-add units. One after the other, each waits for the
//! other's resource: a fifth of the time of a 1×1 convolution went into filling. So the micro-kernels ask for a few cache
//! lines of the next tile now and then, and the copy finds them in the second-level cache. Asking for the wrong ones costs
//! a little time and changes nothing.

use super::tile::Tile;
use crate::element::Element;
use crate::prefetch::{LINE, Lines};
use crate::region::Region;
use crate::simd::LANES;
use crate::sink::Open;
use crate::view::{Map, View};
use std::ops::Range;

/// Rows of maps.
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) images: Range<usize>,
    pub(super) blocks: Range<usize>,
    /// Every so many of these.
    pub(super) rows: Range<usize>,
    pub(super) step: usize,
    pub(super) columns: Range<usize>,
}

/// Rows of maps, and where they lie.
struct Placed<T> {
    data: *const T,
    region: Region,
    rows: Rows,
}

/// The rows a tile will be filled from, handed out a few lines at a time.
pub(super) struct TilePrefetch<T> {
    rows: Vec<Placed<T>>,
    /// Lines for each time something is asked for.
    quota: usize,
    /// Lines that could have been asked for and were not.
    due: usize,
    /// The row that comes next, of which of `rows`.
    at: usize,
    row: usize,
    /// What is left of the current row.
    left: Lines,
}

impl<T: Element> TilePrefetch<T> {
    pub(super) fn nothing() -> Self {
        Self { rows: Vec::new(), quota: 0, due: 0, at: 0, row: 0, left: Lines::NONE }
    }

    /// Adds what a tile reads of some blocks.
    pub(super) fn tile(&mut self, view: &View<'_, T>, tile: &Tile, blocks: Range<usize>) {
        let ([rows, columns], step) = tile.reads([view.region.height, view.region.width]);
        self.view(view, Rows { images: tile.images.clone(), blocks, rows, step, columns });
    }

    /// Adds some rows of a view.
    pub(super) fn view(&mut self, view: &View<'_, T>, rows: Rows) {
        if let Map::Planar = view.map {
            return;
        }
        if let Map::Mix { other, other_region, .. } = view.map {
            self.placed(other.as_ptr(), other_region, rows.clone());
        }
        self.placed(view.data.as_ptr(), view.region, rows);
    }

    /// Adds what a sink reads before it writes some rows.
    pub(super) fn sink(&mut self, sink: &Open<'_, T>, rows: Rows) {
        for (data, region) in sink.reads() {
            self.placed(data, region, rows.clone());
        }
    }

    fn placed(&mut self, data: *const T, region: Region, mut rows: Rows) {
        let clip = |range: Range<usize>, end: usize| range.start.min(end)..range.end.min(end);
        (rows.rows, rows.columns) = (clip(rows.rows, region.height), clip(rows.columns, region.width));
        self.rows.push(Placed { data, region, rows });
    }

    /// The same, to be handed out in so many parts.
    pub(super) fn over(mut self, parts: usize) -> Self {
        let lines: usize = self.rows.iter().map(|placed| placed.rows.count() * placed.lines()).sum();
        self.quota = lines.div_ceil(parts.max(1));
        self
    }

    /// The next part.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Lines {
        self.due += self.quota;
        if self.left.count() == 0 {
            self.left = self.next_row();
        }
        let lines = self.left.take(self.due);
        self.due -= lines.count();
        lines
    }

    fn next_row(&mut self) -> Lines {
        while let Some(placed) = self.rows.get(self.at) {
            if self.row < placed.rows.count() {
                self.row += 1;
                return placed.row(self.row - 1);
            }
            (self.at, self.row) = (self.at + 1, 0);
        }
        (self.quota, self.due) = (0, 0);
        Lines::NONE
    }
}

impl Rows {
    fn count(&self) -> usize {
        if self.columns.is_empty() { 0 } else { self.images.len() * self.blocks.len() * self.of_map() }
    }

    /// Those of one map.
    fn of_map(&self) -> usize {
        self.rows.len().div_ceil(self.step)
    }
}

impl<T> Placed<T> {
    /// Lines of a row.
    fn lines(&self) -> usize {
        (self.rows.columns.len() * LANES * size_of::<T>()).div_ceil(LINE)
    }

    fn row(&self, number: usize) -> Lines {
        let Rows { images, blocks, rows, step, columns } = &self.rows;
        let (plane, row) = (number / self.rows.of_map(), number % self.rows.of_map());
        let (image, block) = (plane % images.len(), plane / images.len());
        let [image, block, row] = [images.start + image, blocks.start + block, rows.start + row * step];
        Lines::new(self.data.wrapping_add(self.region.at(image, block, row, columns.start)), self.lines())
    }
}
