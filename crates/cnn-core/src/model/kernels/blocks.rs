//! Feature maps brought into blocks of channels and back.

use super::custom::Rows;
use cnn_kernels::{Buffer, Element, LANES, Place, Sink, View, from_blocks, to_blocks};

/// Feature maps in blocks.
pub(super) struct Blocks<T> {
    pub(super) data: Buffer<T>,
    pub(super) place: Place,
}

impl<T: Element> Blocks<T> {
    /// Those of a tensor `(N, C, H, W)` or `(N, F)`.
    pub(super) fn of(rows: &Rows<'_, T>) -> Self {
        let mut blocks = Self::empty(place(rows.dims));
        to_blocks(rows.data, &mut blocks.data, &blocks.place);
        blocks
    }

    /// Memory for maps.
    pub(super) fn empty(place: Place) -> Self {
        Self { data: Buffer::zeros(place.len()), place }
    }

    pub(super) fn view(&self) -> View<'_, T> {
        View::plain(&self.data, self.place)
    }

    pub(super) fn sink(&mut self) -> Sink<'_, T> {
        Sink::store(&mut self.data, self.place)
    }

    /// Back to rows.
    pub(super) fn rows(&self) -> Vec<T> {
        let mut rows = vec![T::ZERO; self.place.batch * self.place.channels * self.place.pixels()];
        from_blocks(&self.data, &self.place, &mut rows);
        rows
    }
}

/// Where a tensor's maps lie; a vector is maps of one pixel.
pub(super) fn place(dims: &[usize]) -> Place {
    let at = |i: usize| dims.get(i).copied().unwrap_or(1);
    Place::new(at(0), at(1), [at(2), at(3)])
}

/// One number for each channel, and `rest` for those that fill the last block up.
pub(super) fn padded<T: Element>(values: impl IntoIterator<Item = T>, place: &Place, rest: T) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.resize(place.channels.next_multiple_of(LANES), rest);
    values
}
