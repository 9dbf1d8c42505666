//! The one piece of memory all steps of a program read and write.

use super::number::Number;
use crate::narrow::{Format, Stored};
use crate::region::Region;
use crate::simd::LANES;

/// Where a value lies in the arena: some blocks of channels of a store. A store's numbers of all images lie one behind
/// the other, from `offset · images` on; but those of steps that run image by image have memory for one. The arena is
/// counted in words of 32 bits; narrower numbers take a half or a quarter of one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whether it lies in the memory of one image, which all images use in turn.
    pub alone: bool,
    /// Words of one image before the store.
    pub offset: usize,
    /// Channels of the value.
    pub channels: usize,
    /// Height and width.
    pub size: [usize; 2],
    /// The value's first block within the store.
    pub first_block: usize,
    /// Blocks of the store.
    pub store_blocks: usize,
    /// What the numbers are.
    pub number: Number,
}

impl Place {
    /// Room for so many vectors.
    pub(super) fn of_vectors(alone: bool, offset: usize, vectors: usize) -> Self {
        Self {
            alone,
            offset,
            channels: vectors * LANES,
            size: [1, 1],
            first_block: 0,
            store_blocks: vectors,
            number: Number::F32,
        }
    }

    /// Its own blocks of channels.
    pub fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Pixels of a map.
    pub fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Words of one image of the store.
    pub fn store_len(&self) -> usize {
        self.store_blocks * self.pixels() * self.number.words()
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

    /// Where the store is in the memory of all images.
    pub(super) fn store(&self, batch: usize) -> std::ops::Range<usize> {
        self.offset * batch..(self.offset + self.store_len()) * batch
    }

    /// Numbers from one block to the next.
    #[inline(always)]
    pub(super) fn plane(&self) -> usize {
        self.pixels() * LANES
    }

    /// Whether one may be written while the other is read: they are apart, or blocks of the same store that are.
    pub(super) fn apart(&self, other: &Self) -> bool {
        let (a, b) = (self.store(1), other.store(1));
        let store = |place: &Self| (place.offset, place.store_blocks, place.size, place.number);
        let same = store(self) == store(other);
        let blocks = |place: &Self| place.first_block..place.first_block + place.blocks();
        let (own, others) = (blocks(self), blocks(other));
        self.alone != other.alone
            || a.end <= b.start
            || b.end <= a.start
            || (same && (own.end <= others.start || others.end <= own.start))
    }

    /// Whether their stores are apart.
    pub(super) fn store_apart(&self, other: &Self) -> bool {
        let (a, b) = (self.store(1), other.store(1));
        self.alone != other.alone || a.end <= b.start || b.end <= a.start
    }

    /// Whether its blocks are its store's, and the store within an arena of so many words an image: of memory for one
    /// image, and of that for all.
    pub(super) fn fits(&self, numbers: [usize; 2]) -> bool {
        let numbers = numbers[usize::from(!self.alone)];
        let sizes = [self.store_blocks, self.size[0], self.size[1], self.number.words()];
        let length = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        let end = length.and_then(|length| length.checked_add(self.offset));
        self.channels > 0
            && self.first_block.checked_add(self.blocks()).is_some_and(|end| end <= self.store_blocks)
            && end.is_some_and(|end| end <= numbers)
            && self.offset.is_multiple_of(LANES)
    }
}

/// What tasks read and write during a run: some images of it, or one.
#[derive(Clone, Copy)]
pub struct Arena<'a> {
    alone: *mut f32,
    together: *mut f32,
    /// Images of the run.
    all: usize,
    /// Images of the tasks, and the first of them.
    pub(super) batch: usize,
    first: usize,
    /// Threads that the tasks are cut for.
    pub(super) threads: usize,
    /// The images as they came, `(N, C, H, W)`.
    images: &'a [f32],
}

// SAFETY: pointers; tasks of one step write apart from each other and from what they read, which `Builder` checks.
unsafe impl Send for Arena<'_> {}
// SAFETY: as above.
unsafe impl Sync for Arena<'_> {}

impl<'a> Arena<'a> {
    /// The memory must hold all of a program's places, for one image and for this many.
    pub(super) fn new([alone, together]: [&'a mut [f32]; 2], [all, threads]: [usize; 2], images: &'a [f32]) -> Self {
        let (alone, together) = (alone.as_mut_ptr(), together.as_mut_ptr());
        Self { alone, together, all, batch: all, first: 0, threads, images }
    }

    /// The same for one image.
    pub(super) fn of_image(self, image: usize) -> Self {
        Self { batch: 1, first: image, ..self }
    }

    /// An image as it came, of so many numbers.
    #[inline(always)]
    pub(super) fn picture(&self, image: usize, numbers: usize) -> &'a [f32] {
        &self.images[(self.first + image) * numbers..][..numbers]
    }

    /// Where an image's first block of a place begins. Reading and writing through it is what the caller must argue for.
    #[inline(always)]
    pub(super) fn at(&self, place: &Place, image: usize) -> *mut f32 {
        self.at_number(place, image)
    }

    /// The same of numbers that need not be `f32`.
    #[inline(always)]
    pub(super) fn at_number<N: Stored>(&self, place: &Place, image: usize) -> *mut N {
        let store = match place.alone {
            true => self.alone.wrapping_add(place.offset),
            false => {
                let image = (self.first + image) * place.store_len();
                self.together.wrapping_add(place.offset * self.all + image)
            }
        };
        store.cast::<N>().wrapping_add(place.first_block * place.plane())
    }

    /// The images of the tasks as they came, of so many numbers each.
    pub(super) fn pictures(&self, numbers: usize) -> &'a [f32] {
        &self.images[self.first * numbers..][..self.batch * numbers]
    }

    /// From the first number of a store on, of the tasks' first image.
    pub(super) fn first<F: Format>(&self, place: &Place) -> *mut F {
        match place.alone {
            true => self.store(place).cast(),
            false => self.store(place).wrapping_add(self.first * place.store_len()).cast(),
        }
    }

    /// From a store's first number on.
    #[inline(always)]
    pub(super) fn store(&self, place: &Place) -> *mut f32 {
        match place.alone {
            true => self.alone.wrapping_add(place.offset),
            false => self.together.wrapping_add(place.offset * self.all),
        }
    }
}
