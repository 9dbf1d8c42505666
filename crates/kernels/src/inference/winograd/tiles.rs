//! Where transformed tiles lie: `[plane][chunk][block][tile of the chunk]`, so that the micro-kernel, which takes a chunk
//! at a time, reads them one behind the other.

use crate::simd::Vector;
use std::ops::Range;

/// Some tiles that are transformed together.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    pub(super) count: usize,
    /// Blocks of the input's channels.
    pub(super) in_blocks: usize,
}

impl Tiles {
    fn chunks<V: Vector>(&self) -> usize {
        self.count.div_ceil(V::PIXELS)
    }

    /// Where a chunk starts; chunks are as even as can be.
    #[inline(always)]
    fn start<V: Vector>(&self, chunk: usize) -> usize {
        self.count * chunk / self.chunks::<V>()
    }

    /// The chunk a tile is in.
    #[inline(always)]
    pub(super) fn chunk_of<V: Vector>(&self, tile: usize) -> Range<usize> {
        let number = ((tile + 1) * self.chunks::<V>() - 1) / self.count;
        self.start::<V>(number)..self.start::<V>(number + 1)
    }

    /// Which vector of a plane a block of a tile is.
    #[inline(always)]
    pub(super) fn at<V: Vector>(&self, tile: usize, block: usize) -> usize {
        let chunk = self.chunk_of::<V>(tile);
        chunk.start * self.in_blocks + block * chunk.len() + tile - chunk.start
    }

    /// The tiles of one of some groups of whole chunks.
    pub(super) fn group<V: Vector>(&self, group: usize, groups: usize) -> Range<usize> {
        let chunks = self.chunks::<V>();
        self.start::<V>(chunks * group / groups)..self.start::<V>(chunks * (group + 1) / groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Portable;

    #[test]
    fn every_block_of_every_tile_has_a_vector_of_its_own() {
        for (count, in_blocks) in [(1, 1), (5, 3), (33, 4), (14, 2)] {
            let tiles = Tiles { count, in_blocks };
            let mut seen = vec![false; count * in_blocks];
            for tile in 0..count {
                (0..in_blocks).for_each(|block| seen[tiles.at::<Portable<f32>>(tile, block)] = true);
            }
            assert!(seen.iter().all(|seen| *seen));
            let groups = 3.min(count);
            let grouped: usize = (0..groups).map(|group| tiles.group::<Portable<f32>>(group, groups).len()).sum();
            assert_eq!(grouped, count);
        }
    }
}
