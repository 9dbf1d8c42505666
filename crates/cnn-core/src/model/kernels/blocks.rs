//! Feature maps brought into blocks of channels and back.

use super::custom::Rows;
use cnn_kernels::{Buffer, Element, LANES, Region, Sink, View, from_blocks, to_blocks};

/// Feature maps in blocks.
pub(super) struct Blocks<T> {
    pub(super) data: Buffer<T>,
    pub(super) region: Region,
}

impl<T: Element> Blocks<T> {
    /// Those of a tensor `(N, C, H, W)` or `(N, F)`.
    pub(super) fn of(rows: &Rows<'_, T>) -> Self {
        let mut blocks = Self::empty(region(rows.dims));
        to_blocks(rows.data, &mut blocks.data, &blocks.region);
        blocks
    }

    /// Memory for maps.
    pub(super) fn empty(region: Region) -> Self {
        Self { data: Buffer::zeros(region.len()), region }
    }

    pub(super) fn view(&self) -> View<'_, T> {
        View::plain(&self.data, self.region)
    }

    pub(super) fn sink(&mut self) -> Sink<'_, T> {
        Sink::store(&mut self.data, self.region)
    }

    /// Back to rows.
    pub(super) fn rows(&self) -> Vec<T> {
        let mut rows = vec![T::ZERO; self.region.batch * self.region.channels * self.region.pixels()];
        from_blocks(&self.data, &self.region, &mut rows);
        rows
    }
}

/// Where a tensor's maps lie; a vector is maps of one pixel.
pub(super) fn region(dims: &[usize]) -> Region {
    let at = |i: usize| dims.get(i).copied().unwrap_or(1);
    Region::new(at(0), at(1), [at(2), at(3)])
}

/// One number for each channel, and `rest` for those that fill the last block up.
pub(super) fn padded<T: Element>(values: impl IntoIterator<Item = T>, region: &Region, rest: T) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.resize(region.channels.next_multiple_of(LANES), rest);
    values
}
