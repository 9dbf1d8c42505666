//! The layout of feature maps: channels in blocks of sixteen.
//!
//! A batch of maps lies in memory as `[image][block][row][column][16 channels]`. A vector register holds the sixteen
//! channels of one pixel; neighbouring pixels are neighbouring cache lines, whatever the number of channels. The last
//! block is filled up with zeros, which every kernel keeps.

use crate::buffer::Shared;
use crate::element::Element;
use crate::simd::LANES;
use crate::threads::for_each;

/// Where a batch of feature maps lies in a buffer: all of it, or some of its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The first of its blocks in the buffer.
    pub first_block: usize,
    /// Blocks of the whole buffer.
    pub buffer_blocks: usize,
}

impl Region {
    /// A buffer of its own.
    pub fn new(batch: usize, channels: usize, [height, width]: [usize; 2]) -> Self {
        Self { batch, channels, height, width, first_block: 0, buffer_blocks: channels.div_ceil(LANES) }
    }

    /// Its own blocks of channels.
    pub fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Its channels, the zeros at the end included.
    pub fn padded_channels(&self) -> usize {
        self.blocks() * LANES
    }

    /// Pixels of a map.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Length of the buffer it lies in.
    pub fn len(&self) -> usize {
        self.batch * self.buffer_blocks * self.pixels() * LANES
    }

    /// Panics where its blocks are not the buffer's, or the buffer is longer than memory can be: images would overlap.
    pub(crate) fn check(&self) {
        let sizes = [self.batch, self.buffer_blocks, self.height, self.width, LANES];
        let length = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        assert!(length.is_some(), "{self:?} is longer than memory can be");
        let end = self.first_block.checked_add(self.blocks());
        assert!(end.is_some_and(|end| end <= self.buffer_blocks), "{self:?} reaches beyond its buffer's blocks");
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where pixel (`row`, `column`) of a block of an image starts.
    #[inline(always)]
    pub fn at(&self, image: usize, block: usize, row: usize, column: usize) -> usize {
        let plane = image * self.buffer_blocks + self.first_block + block;
        ((plane * self.height + row) * self.width + column) * LANES
    }

    /// Whether it has the batch, channels, height and width of another.
    pub(crate) fn same_shape(&self, other: &Self) -> bool {
        let shape = |region: &Self| [region.batch, region.channels, region.height, region.width];
        shape(self) == shape(other)
    }

    /// The same with another number of channels.
    pub(crate) fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }

    /// The same numbers with each map as one row.
    pub(crate) fn flat(self) -> Self {
        Self { height: 1, width: self.pixels(), ..self }
    }
}

/// Brings maps from rows of pixels, `(N, C, H, W)`, into blocks.
///
/// # Panics
///
/// Where a slice is shorter than its shape asks.
pub fn to_blocks<T: Element>(maps: &[T], blocks: &mut [T], region: &Region) {
    T::to_blocks(maps, blocks, region);
}

pub(crate) fn compute_to_blocks<T: Element>(maps: &[T], blocks: &mut [T], region: &Region) {
    region.check();
    let (pixels, shared) = (region.pixels(), Shared::new(blocks));
    for_each(region.batch * region.blocks(), |task| {
        let (image, block) = (task / region.blocks(), task % region.blocks());
        let start = region.at(image, block, 0, 0);
        // SAFETY: each task has a plane of its own.
        let plane = unsafe { shared.part(start..start + pixels * LANES) };
        let channels = (region.channels - block * LANES).min(LANES);
        let maps = &maps[(image * region.channels + block * LANES) * pixels..][..channels * pixels];
        for (pixel, lanes) in plane.chunks_exact_mut(LANES).enumerate() {
            for (lane, value) in lanes.iter_mut().enumerate() {
                *value = if lane < channels { maps[lane * pixels + pixel] } else { T::ZERO };
            }
        }
    });
}

/// Brings maps from blocks into rows of pixels, `(N, C, H, W)`.
///
/// # Panics
///
/// Where a slice is shorter than its shape asks.
pub fn from_blocks<T: Element>(blocks: &[T], region: &Region, maps: &mut [T]) {
    T::from_blocks(blocks, region, maps);
}

pub(crate) fn compute_from_blocks<T: Element>(blocks: &[T], region: &Region, maps: &mut [T]) {
    region.check();
    let (pixels, shared) = (region.pixels(), Shared::new(maps));
    for_each(region.batch * region.blocks(), |task| {
        let (image, block) = (task / region.blocks(), task % region.blocks());
        let channels = (region.channels - block * LANES).min(LANES);
        let start = (image * region.channels + block * LANES) * pixels;
        // SAFETY: each task has channels of its own.
        let maps = unsafe { shared.part(start..start + channels * pixels) };
        let plane = &blocks[region.at(image, block, 0, 0)..][..pixels * LANES];
        for (lane, map) in maps.chunks_exact_mut(pixels.max(1)).enumerate() {
            for (pixel, value) in map.iter_mut().enumerate() {
                *value = plane[pixel * LANES + lane];
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "is longer than memory can be")]
    fn a_region_whose_places_would_wrap_around_is_refused() {
        let region =
            Region { batch: 2, channels: 16, height: 1, width: 2, first_block: 0, buffer_blocks: usize::MAX / 16 + 1 };
        to_blocks(&[0.0_f32; 64], &mut [0.0; 32], &region);
    }

    #[test]
    #[should_panic(expected = "reaches beyond its buffer's blocks")]
    fn a_region_that_begins_behind_all_blocks_is_refused() {
        let region = Region { first_block: usize::MAX, ..Region::new(1, 16, [1, 1]) };
        from_blocks(&[0.0_f32; 16], &region, &mut [0.0; 16]);
    }
}
