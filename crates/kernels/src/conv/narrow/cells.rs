//! What a tile is filled from: a source, its numbers as they are multiplied.

use crate::conv::tile::Rows;
use crate::narrow::{Reader, Source};
use crate::simd::{Dot, LANES, Vector};
use std::marker::PhantomData;

/// A source as cells of a tile.
pub(super) struct Cells<'a, V, D: Dot> {
    pub(super) source: &'a Source<'a, D::Number>,
    pub(super) vectors: PhantomData<V>,
}

impl<V: Vector<Element = f32>, D: Dot> Rows for Cells<'_, V, D> {
    type Cell = D::Cell;

    #[inline(always)]
    fn size(&self) -> [usize; 2] {
        [self.source.region.height, self.source.region.width]
    }
    #[inline(always)]
    fn border(&self) -> D::Cell {
        self.source.zero.into()
    }
    #[inline(always)]
    fn read_every(
        &self,
        [image, block, row, column]: [usize; 4],
        pixels: usize,
        [step, spread]: [usize; 2],
        to: &mut [D::Cell],
    ) {
        let start = self.source.region.at(image, block, row, column);
        let from = &self.source.data[start..start + ((pixels - 1) * step + 1) * LANES];
        // A cell that is as long as a number is the number.
        if self.source.map.is_none() && size_of::<D::Cell>() == size_of::<D::Number>() {
            let run = if step == 1 && spread == 1 { pixels } else { 1 };
            let to = &mut to[..((pixels - 1) * spread + 1) * LANES];
            for pixel in (0..pixels).step_by(run) {
                // SAFETY: `from` holds every `step`-th pixel, `to` every `spread`-th, or all of them side by side.
                unsafe {
                    let from = from.as_ptr().add(pixel * step * LANES).cast::<D::Cell>();
                    from.copy_to_nonoverlapping(to.as_mut_ptr().add(pixel * spread * LANES), run * LANES);
                }
            }
            return;
        }
        let reader = Reader::<D::Number, V>::new(self.source, block);
        if size_of::<D::Cell>() == size_of::<D::Number>() && [step, spread] == [1, 1] {
            let to = &mut to[..pixels * LANES];
            // SAFETY: a cell that is as long as a number is the number.
            let to = unsafe { std::slice::from_raw_parts_mut(to.as_mut_ptr().cast::<D::Number>(), to.len()) };
            return reader.narrow_all(from, to);
        }
        let mut numbers = [D::Number::default(); LANES];
        for pixel in 0..pixels {
            reader.narrow(&from[pixel * step * LANES..][..LANES], &mut numbers);
            for (to, from) in to[pixel * spread * LANES..][..LANES].iter_mut().zip(numbers) {
                *to = from.into();
            }
        }
    }
}
