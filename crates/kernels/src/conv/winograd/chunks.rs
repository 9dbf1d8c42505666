//! The tiles that the micro-kernel takes together.

use std::ops::Range;

/// Tiles in chunks as even as can be, one behind the other. A tile of a few channels takes no longer than a division, so where
/// chunks begin is counted, not divided.
#[derive(Clone, Debug)]
pub(super) struct Chunks {
    tiles: usize,
    /// Tiles of a chunk, and how many chunks have one more.
    each: usize,
    longer: usize,
    current: Range<usize>,
}

impl Chunks {
    /// Chunks of at most so many tiles.
    pub(super) fn new(tiles: usize, most: usize) -> Self {
        let count = tiles.div_ceil(most).max(1);
        Self { tiles, each: tiles / count, longer: tiles % count, current: 0..0 }
    }

    /// The chunk a tile is in, which must be that of the tile asked for before or one behind it.
    #[inline(always)]
    pub(super) fn of(&mut self, tile: usize) -> Range<usize> {
        while tile >= self.current.end && self.next().is_some() {}
        self.current.clone()
    }
}

impl Iterator for Chunks {
    type Item = Range<usize>;

    #[inline(always)]
    fn next(&mut self) -> Option<Range<usize>> {
        if self.current.end == self.tiles {
            return None;
        }
        let extra = usize::from(self.longer > 0);
        self.longer -= extra;
        self.current = self.current.end..self.current.end + self.each + extra;
        Some(self.current.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tiles_are_in_even_chunks_one_behind_the_other() {
        for (tiles, most) in [(0, 14), (1, 14), (14, 14), (15, 14), (29, 14), (64, 14), (5, 1)] {
            let chunks: Vec<_> = Chunks::new(tiles, most).collect();
            assert_eq!(chunks.len(), tiles.div_ceil(most));
            assert!(chunks.iter().flat_map(Clone::clone).eq(0..tiles));
            let longest = chunks.iter().map(Range::len).max().unwrap_or(0);
            assert!(longest <= most && chunks.iter().all(|chunk| chunk.len() + 1 >= longest));
            let mut of = Chunks::new(tiles, most);
            for tile in 0..tiles {
                assert!(of.of(tile).contains(&tile) && chunks.contains(&of.of(tile)));
            }
        }
    }
}
