//! How the gradient of the weights is cut into groups, slices and tasks.

use super::super::planes::PLANES;
use crate::conv::tile::even;
use crate::simd::LANES;
use std::ops::Range;

/// Numbers of all sums up to which tasks take slices of the tiles: all of a slice must stay in the caches.
const SLICE_SUMS: usize = 600 * 1024;
/// Numbers of the transformed tiles of a group of a slice, where that leaves enough tiles: what a second-level cache of
/// 1 MiB holds beside some sums.
const SLICE_GROUP: usize = 128 * 1024;
/// Slices there must be at least: with fewer, threads would have nothing to do.
const SLICES: usize = 4;
/// Tiles of a slice, where that gives enough slices.
const SLICE_TILES: usize = 192;
/// Tiles of a slice at least.
const FEWEST_TILES: usize = 96;
/// Tiles of such a group at least: each goes through all sums.
const FEWEST: usize = 28;
/// Numbers of the transformed tiles, of all channels, of a group that tasks share: going through all sums once more costs
/// more than to write and read transformed tiles that no cache holds.
const SHARED_GROUP: usize = 12 * 1024 * 1024;
/// Blocks of input channels and panels of output channels of a task's product.
pub(super) const CHUNK: [usize; 2] = [4, 2];
/// Factors of tiles multiplied at once: what lets a block of inputs and a panel of gradients stay in a first-level cache of 32 KiB.
pub(super) const PIECE: usize = 112;
/// Tasks there should be, for any number of threads.
const TASKS: usize = 16;
/// Numbers of the transformed tiles of a shared group up to which it holds all channels of both sides at a time.
const ALL_CHANNELS: usize = 3 * 1024 * 1024;

/// How the work is cut: by shapes and instructions, never by the number of threads.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    pub(super) tiles: usize,
    /// Tiles of a group at most.
    pub(super) group: usize,
    /// Slices of the tiles, each with a task and sums of its own; 0 where tasks share all groups.
    pub(super) slices: usize,
    /// Parts of the planes that tasks take where they share groups.
    pub(super) parts: usize,
    /// Blocks of channels of either side that a group holds at a time.
    pub(super) at_once: [usize; 2],
    /// Tiles of a factor.
    pub(super) depth: usize,
}

impl Cut {
    /// `depth` is how many tiles are multiplied at once.
    pub(super) fn new(channels: [usize; 2], tiles: usize, panels: usize, depth: usize) -> Self {
        let blocks = channels.map(|channels| channels.div_ceil(LANES));
        let [ins, outs] = blocks;
        let per_tile = PLANES * (ins + outs).max(1) * LANES / depth;
        let sums = PLANES * ins * outs * LANES * LANES;
        let slices = (tiles / SLICE_TILES).clamp(SLICES, TASKS);
        if sums <= SLICE_SUMS && tiles >= slices * FEWEST_TILES {
            let group = even(tiles.div_ceil(slices), (SLICE_GROUP / per_tile).clamp(FEWEST, PIECE * depth));
            return Self { tiles, group, slices, parts: 1, at_once: blocks, depth };
        }
        let tasks = ins.div_ceil(CHUNK[0]) * outs.div_ceil(2 * CHUNK[1]);
        let parts = [1, 2, 3, 4, 6, 9, 12, 18].into_iter().find(|parts| tasks * parts >= TASKS).unwrap_or(PLANES);
        let group = even(tiles, (SHARED_GROUP / per_tile).max(PIECE * depth));
        let at_once = |group: usize| match group * per_tile > ALL_CHANNELS {
            true => Self::some_of(blocks, panels),
            false => blocks,
        };
        // With a single group sums go straight to the weights, and take no memory.
        let held = |group: usize| group * PLANES * LANES / depth * at_once(group).iter().sum::<usize>();
        let single = parts == 1 && held(tiles) <= held(group) + sums;
        let group = if single { tiles } else { group };
        Self { tiles, group, slices: 0, parts, at_once: at_once(group), depth }
    }

    /// Blocks of channels to hold at a time: all of one side, of the other as few as leave tasks enough.
    fn some_of(blocks: [usize; 2], panels: usize) -> [usize; 2] {
        let units = [CHUNK[0], CHUNK[1] * panels];
        let chunks = [0, 1].map(|side| blocks[side].div_ceil(units[side]).max(1));
        let side = usize::from(blocks[1] >= blocks[0]);
        let least = TASKS.min((chunks[0] * chunks[1]).div_ceil(2));
        let mut at_once = blocks;
        at_once[side] = blocks[side].min(units[side] * even(chunks[side], least.div_ceil(chunks[1 - side])));
        at_once
    }

    /// Factors of a block of a group.
    pub(super) fn run(&self) -> usize {
        self.group.div_ceil(self.depth)
    }

    /// Tiles of a slice.
    pub(super) fn slice(&self, slice: usize) -> Range<usize> {
        self.tiles * slice / self.slices..self.tiles * (slice + 1) / self.slices
    }
}
