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
            let (from, to) = (from.as_ptr().cast::<D::Cell>(), to[..((pixels - 1) * spread + 1) * LANES].as_mut_ptr());
            // SAFETY: `from` holds every `step`-th pixel, `to` every `spread`-th, or all of them side by side.
            unsafe {
                if [step, spread] == [1, 1] {
                    from.copy_to_nonoverlapping(to, pixels * LANES);
                } else {
                    // A length that the compiler knows: no call for each pixel.
                    for pixel in 0..pixels {
                        from.add(pixel * step * LANES).copy_to_nonoverlapping(to.add(pixel * spread * LANES), LANES);
                    }
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
