//! The one piece of memory all steps of a program read and write.

use crate::region::Region;
use crate::simd::LANES;

/// Where a value lies in the arena: some blocks of channels of a store. A store's numbers of all images lie one behind
/// the other, from `offset · images` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Numbers of one image before the store.
    pub offset: usize,
    /// Channels of the value.
    pub channels: usize,
    /// Height and width.
    pub size: [usize; 2],
    /// The value's first block within the store.
    pub first_block: usize,
    /// Blocks of the store.
    pub store_blocks: usize,
}

impl Place {
    /// Its own blocks of channels.
    pub fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Pixels of a map.
    pub fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Numbers of one image of the store.
    pub fn store_len(&self) -> usize {
        self.store_blocks * self.pixels() * LANES
    }

    /// The region of its store.
    pub(super) fn region(&self, batch: usize) -> Region {
        Region {
            batch,
            channels: self.channels,
            height: self.size[0],
            width: self.size[1],
            first_block: self.first_block,
            buffer_blocks: self.store_blocks,
        }
    }

    /// Where the store is in the arena.
    pub(super) fn store(&self, batch: usize) -> std::ops::Range<usize> {
        self.offset * batch..(self.offset + self.store_len()) * batch
    }

    /// Where an image's map of the value begins: of the first of its blocks.
    #[inline(always)]
    pub(super) fn at(&self, batch: usize, image: usize) -> usize {
        self.offset * batch + (image * self.store_blocks + self.first_block) * self.plane()
    }

    /// Numbers from one block to the next.
    #[inline(always)]
    pub(super) fn plane(&self) -> usize {
        self.pixels() * LANES
    }

    /// Whether one may be written while the other is read: they are apart, or blocks of the same store that are.
    pub(super) fn apart(&self, other: &Self) -> bool {
        let (a, b) = (self.store(1), other.store(1));
        let same = self.offset == other.offset && self.store_blocks == other.store_blocks && self.size == other.size;
        let blocks = |place: &Self| place.first_block..place.first_block + place.blocks();
        let (own, others) = (blocks(self), blocks(other));
        a.end <= b.start || b.end <= a.start || (same && (own.end <= others.start || others.end <= own.start))
    }

    /// Whether its blocks are its store's, and the store within an arena of so many numbers.
    pub(super) fn fits(&self, numbers: usize) -> bool {
        let sizes = [self.store_blocks, self.size[0], self.size[1], LANES];
        let length = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        let end = length.and_then(|length| length.checked_add(self.offset));
        self.channels > 0
            && self.first_block.checked_add(self.blocks()).is_some_and(|end| end <= self.store_blocks)
            && end.is_some_and(|end| end <= numbers)
            && self.offset.is_multiple_of(LANES)
    }
}

/// What tasks read and write during a run.
#[derive(Clone, Copy)]
pub(super) struct Arena<'a> {
    start: *mut f32,
    /// Images of this run.
    pub(super) batch: usize,
    /// The images as they came, `(N, C, H, W)`.
    pub(super) images: &'a [f32],
}

// SAFETY: a pointer; tasks of one step write apart from each other and from what they read, which `Builder` checks.
unsafe impl Send for Arena<'_> {}
// SAFETY: as above.
unsafe impl Sync for Arena<'_> {}

impl<'a> Arena<'a> {
    /// The memory must hold all of a program's places for this many images.
    pub(super) fn new(memory: &'a mut [f32], batch: usize, images: &'a [f32]) -> Self {
        Self { start: memory.as_mut_ptr(), batch, images }
    }

    /// Where an image's first block of a place begins. Reading and writing through it is what the caller must argue for.
    #[inline(always)]
    pub(super) fn at(&self, place: &Place, image: usize) -> *mut f32 {
        self.start.wrapping_add(place.at(self.batch, image))
    }

    /// From a store's first number on.
    #[inline(always)]
    pub(super) fn store(&self, place: &Place) -> *mut f32 {
        self.start.wrapping_add(place.offset * self.batch)
    }
}
