//! What the next tile will read, asked for while this one is multiplied.
//!
//! Filling a tile is bound by memory, multiplying it by the multiply-add units. One after the other, each waits for the
//! other's resource: a fifth of the time of a 1×1 convolution went into filling. So the micro-kernels ask for a few cache
//! lines of the next tile now and then, and the copy finds them in the second-level cache. Asking for the wrong ones costs
//! a little time and changes nothing.

use super::tile::Tile;
use crate::ahead::{LINE, Lines};
use crate::place::Place;
use crate::simd::LANES;
use crate::view::{Map, View};
use std::ops::Range;

/// Rows of maps.
struct Rows<'a, T> {
    data: &'a [T],
    place: Place,
    images: Range<usize>,
    blocks: Range<usize>,
    rows: Range<usize>,
    columns: Range<usize>,
}

/// The rows a tile will be filled from, handed out a few lines at a time.
pub(super) struct Ahead<'a, T> {
    rows: Vec<Rows<'a, T>>,
    /// Lines for each time something is asked for.
    quota: usize,
    /// Lines that could have been asked for and were not.
    due: usize,
    /// The row that comes next, of the first of `rows`.
    row: usize,
    /// What is left of the current row.
    left: Lines,
}

impl<'a, T> Ahead<'a, T> {
    pub(super) fn nothing() -> Self {
        Self { rows: Vec::new(), quota: 0, due: 0, row: 0, left: Lines::NONE }
    }

    /// Adds what a tile reads of some blocks.
    pub(super) fn tile(&mut self, view: &View<'a, T>, tile: &Tile, blocks: Range<usize>) {
        let [rows, columns] = tile.reads([view.place.height, view.place.width]);
        self.add(view, tile.images.clone(), blocks, [rows, columns]);
    }

    /// Adds some rows and columns of some images and blocks.
    pub(super) fn add(
        &mut self,
        view: &View<'a, T>,
        images: Range<usize>,
        blocks: Range<usize>,
        [rows, columns]: [Range<usize>; 2],
    ) {
        let mut add = |data: &'a [T], place: Place| {
            let (images, blocks, rows, columns) = (images.clone(), blocks.clone(), rows.clone(), columns.clone());
            self.rows.push(Rows { data, place, images, blocks, rows, columns });
        };
        add(view.data, view.place);
        if let Map::Mix { other, other_place, .. } = view.map {
            add(other, other_place);
        }
    }

    /// The same, to be handed out in so many parts.
    pub(super) fn over(mut self, parts: usize) -> Self {
        let lines: usize = self.rows.iter().map(|rows| rows.count() * rows.lines()).sum();
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
        while let Some(rows) = self.rows.first() {
            if self.row < rows.count() {
                self.row += 1;
                return rows.row(self.row - 1);
            }
            self.rows.remove(0);
            self.row = 0;
        }
        (self.quota, self.due) = (0, 0);
        Lines::NONE
    }
}

impl<T> Rows<'_, T> {
    fn count(&self) -> usize {
        if self.columns.is_empty() { 0 } else { self.images.len() * self.blocks.len() * self.rows.len() }
    }

    /// Lines of a row.
    fn lines(&self) -> usize {
        (self.columns.len() * LANES * size_of::<T>()).div_ceil(LINE)
    }

    fn row(&self, number: usize) -> Lines {
        let (plane, row) = (number / self.rows.len(), number % self.rows.len());
        let (image, block) = (plane % self.images.len(), plane / self.images.len());
        let [image, block, row] = [self.images.start + image, self.blocks.start + block, self.rows.start + row];
        let from = self.data.as_ptr().wrapping_add(self.place.at(image, block, row, self.columns.start));
        Lines::new(from, self.lines())
    }
}
