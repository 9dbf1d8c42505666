//! Convolutions of 3×3 and 5×5 by Winograd's algorithms, with filters transformed and packed before.
//!
//! A tile of outputs needs fewer multiplications between a transformed input tile and a transformed filter than it has
//! taps (`scheme`). With many channels these are matrix products, one for each *plane* of the transformed tiles.
//!
//! Where a map has many tiles a task takes some of them through all steps while they are in its cache. Where it has few,
//! the inputs of all images are transformed first, to memory of the arena, and a task takes some panels of outputs: the
//! filters, which are then most of the memory, are read once.

mod filters;
mod products;
mod scheme;
mod tiles;
mod transform;

pub(super) use filters::pack;

use super::arena::{Arena, Place};
use super::choice::ConvAlgorithm;
use super::step::{Convolution, Packed};
use crate::conv::Conv;
use crate::narrow::Stored;
use crate::prefetch::Lines;
use crate::simd::{LANES, Vector};
use crate::threads::threads;
use scheme::{F2x3, F2x5, F4x3, Scheme};
use tiles::Tiles;

/// Tiles of a map from which on its tasks are whole.
const MANY: usize = 40;
/// Numbers the transformed inputs of a whole task may be: what leaves room for filters in a cache of 1 MiB.
const WHOLE: usize = 112 * 1024;
/// Tiles of a task at least, where there are that many.
const FEWEST: usize = 14;
/// Tiles of a task at most, which bounds its products.
const MOST_TILES: usize = 56;

/// An odd number of cache lines: planes at a distance of a power of two would evict each other.
fn odd(vectors: usize) -> usize {
    vectors | 1
}

/// How a convolution is cut and computed.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    algorithm: ConvAlgorithm,
    /// Channels read and written.
    ins: usize,
    outs: usize,
    /// Outputs, kernel and inputs of a tile along an axis.
    outputs: usize,
    inputs: usize,
    padding: [usize; 2],
    /// Tiles of a map, along each axis.
    tiles: [usize; 2],
    /// Blocks of outputs of a panel.
    panels: usize,
    /// Rows of tiles of a whole task; none where the inputs of all images are transformed first.
    whole: Option<usize>,
    /// Where those are.
    transformed: Place,
}

/// Calls a function with the scheme of an algorithm.
macro_rules! with_scheme {
    ($algorithm:expr, $scheme:ident => $call:expr) => {
        match $algorithm {
            ConvAlgorithm::Winograd4x3 => {
                type $scheme = F4x3;
                $call
            }
            ConvAlgorithm::Winograd2x5 => {
                type $scheme = F2x5;
                $call
            }
            ConvAlgorithm::Winograd2x3 | ConvAlgorithm::Direct => {
                type $scheme = F2x3;
                $call
            }
        }
    };
}
use with_scheme;

/// Calls a function with the type of the maps' numbers, `f32` or `bf16`.
macro_rules! with_number {
    ($number:expr, $kind:ident => $call:expr) => {
        if $crate::inference::arena::Number::HALVES && $number == $crate::inference::arena::Number::Bf16 {
            type $kind = $crate::narrow::bf16;
            $call
        } else {
            type $kind = f32;
            $call
        }
    };
}
use with_number;

/// Outputs, taps and inputs of a tile of an algorithm along an axis.
pub(super) fn extents(algorithm: ConvAlgorithm) -> [usize; 3] {
    with_scheme!(algorithm, S => [S::OUTPUTS, S::KERNEL, S::INPUTS])
}

/// How the tiles of a map are computed.
fn tile_rows(size: [usize; 2], algorithm: ConvAlgorithm, ins: usize) -> Option<usize> {
    let [outputs, _, inputs] = extents(algorithm);
    let [down, across] = size.map(|pixels| pixels.div_ceil(outputs));
    if down * across < MANY {
        return None;
    }
    let most = (WHOLE / (inputs * inputs * ins.next_multiple_of(LANES))).clamp(FEWEST, MOST_TILES);
    // Some tasks at least for a map.
    let rows = (most / across).clamp(1, down.div_ceil(2));
    Some(down.div_ceil(down.div_ceil(rows)))
}

/// Numbers of one image that a convolution needs in the arena for transformed inputs; 0 for none.
pub fn transformed_len(conv: &Conv, size: [usize; 2], algorithm: ConvAlgorithm) -> usize {
    if algorithm == ConvAlgorithm::Direct || tile_rows(size, algorithm, conv.in_channels).is_some() {
        return 0;
    }
    let [outputs, _, inputs] = extents(algorithm);
    let tiles = size[0].div_ceil(outputs) * size[1].div_ceil(outputs);
    // With all images' together a plane may get one line more.
    inputs * inputs * (tiles * conv.in_channels.div_ceil(LANES) + 1) * LANES
}

impl Winograd {
    pub(super) fn new(step: &Convolution, panels: usize) -> Self {
        let [outputs, _, inputs] = extents(step.algorithm);
        let transformed = transformed_len(&step.conv, step.output.size, step.algorithm);
        Self {
            algorithm: step.algorithm,
            ins: step.conv.in_channels,
            outs: step.conv.out_channels,
            outputs,
            inputs,
            padding: step.conv.padding,
            tiles: step.output.size.map(|pixels| pixels.div_ceil(outputs)),
            panels,
            whole: tile_rows(step.output.size, step.algorithm, step.conv.in_channels),
            transformed: Place::of_vectors(step.alone, step.transformed, transformed / LANES),
        }
    }

    fn in_blocks(&self) -> usize {
        self.ins.div_ceil(LANES)
    }

    fn out_blocks(&self) -> usize {
        self.outs.div_ceil(LANES)
    }

    fn panel_count(&self) -> usize {
        self.out_blocks().div_ceil(self.panels)
    }

    fn planes(&self) -> usize {
        self.inputs * self.inputs
    }

    fn tiles_of_map(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// Numbers between two planes of transformed inputs of so many tiles.
    fn plane(&self, tiles: usize) -> usize {
        odd(self.in_blocks() * tiles) * LANES
    }

    /// Tasks that transform inputs of all images.
    pub(super) fn transform_tasks(&self, batch: usize) -> usize {
        if self.whole.is_some() { 0 } else { batch * self.in_blocks() }
    }

    /// Groups of tiles of all images whose products are computed together.
    fn groups(&self, batch: usize) -> usize {
        (batch * self.tiles_of_map()).div_ceil(MOST_TILES)
    }

    /// Shares of the panels of a whole task.
    fn splits(&self, batch: usize, rows: usize) -> usize {
        let tasks = batch * self.tiles[0].div_ceil(rows);
        if tasks >= 2 * threads() { 1 } else { (2 * threads()).div_ceil(tasks.max(1)).min(self.panel_count()) }
    }

    /// Tasks that write outputs.
    pub(super) fn tasks(&self, batch: usize) -> usize {
        match self.whole {
            Some(rows) => batch * self.tiles[0].div_ceil(rows) * self.splits(batch, rows),
            None => self.panel_count() * self.groups(batch),
        }
    }

    /// Numbers of scratch memory of a task.
    pub(super) fn scratch(&self) -> usize {
        let strip = transform::strip_len(self.inputs, self.tiles[1] * self.outputs + self.inputs);
        let products = |tiles: usize| self.planes() * odd(self.panels * tiles) * LANES;
        match self.whole {
            Some(rows) => {
                let tiles = rows * self.tiles[1];
                (self.planes() * self.plane(tiles) + products(tiles)).max(self.planes() * self.plane(tiles) + strip)
            }
            // A group is whole chunks.
            None => products(MOST_TILES + LANES).max(strip),
        }
    }

    /// Numbers of the packed filters.
    pub(super) fn packed_len(&self) -> usize {
        self.panel_count() * self.panel_len()
    }

    /// Numbers of a panel's filters, and of one plane of them.
    fn panel_len(&self) -> usize {
        self.planes() * self.filter_plane()
    }

    fn filter_plane(&self) -> usize {
        odd(self.ins * self.panels) * LANES
    }

    /// Transforms a block of an image's inputs.
    ///
    /// # Safety
    ///
    /// The input is not written meanwhile, and nobody else does this task. `scratch` is long enough.
    #[inline(always)]
    pub(super) unsafe fn transform<V: Vector<Element = f32>>(
        &self,
        step: &Convolution,
        arena: &Arena<'_>,
        task: usize,
        scratch: &mut [f32],
    ) {
        let (image, block) = (task / self.in_blocks(), task % self.in_blocks());
        let tiles = Tiles { count: arena.batch * self.tiles_of_map(), in_blocks: self.in_blocks() };
        let to = arena.store(&self.transformed);
        let first = image * self.tiles_of_map();
        // SAFETY: as the caller says; the memory was planned for the tiles of all images.
        unsafe {
            with_number!(step.input.number(), N => {
                self.inputs_of::<V, N>(step, arena, image, block, 0..self.tiles[0], (tiles, first, to), scratch);
            });
        }
    }

    /// Transforms a block of some rows of tiles.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    unsafe fn inputs_of<V: Vector<Element = f32>, N: Stored>(
        &self,
        step: &Convolution,
        arena: &Arena<'_>,
        image: usize,
        block: usize,
        rows: std::ops::Range<usize>,
        (tiles, first, to): (Tiles, usize, *mut f32),
        scratch: &mut [f32],
    ) {
        let Some(place) = step.input.place() else { return };
        let source = transform::Source {
            from: arena.at_number::<N>(place, image).wrapping_add(block * place.plane()).cast_const(),
            size: place.size,
            padding: self.padding,
            map: step.input.map(),
            block,
        };
        let across = self.tiles[1];
        for row in rows.clone() {
            let first = first + (row - rows.start) * across;
            let to = transform::Target { tiles, first, to, plane: self.plane(tiles.count) };
            with_scheme!(self.algorithm, S => {
                // SAFETY: the map is read within its bounds; each block of a tile has a place of its own.
                unsafe { transform::row_of_tiles::<V, S, N>(&source, row, across, &to, scratch) }
            });
        }
    }

    /// One task that writes outputs; on the way it asks for what the next step reads first.
    ///
    /// # Safety
    ///
    /// What is read is not written meanwhile, and nobody else does this task. `scratch` is long enough.
    #[inline(always)]
    pub(super) unsafe fn run<V: Vector<Element = f32>>(
        &self,
        (step, packed): (&Convolution, &Packed),
        arena: &Arena<'_>,
        (task, after): (usize, Lines),
        scratch: &mut [f32],
    ) {
        // Panels are computed in one place: all of it is compiled into its caller.
        let (inputs, first, panels, scratch) = match self.whole {
            Some(rows) => {
                let splits = self.splits(arena.batch, rows);
                let (task, split) = (task / splits, task % splits);
                let parts = self.tiles[0].div_ceil(rows);
                let (image, part) = (task / parts, task % parts);
                let rows = part * rows..((part + 1) * rows).min(self.tiles[0]);
                let tiles = Tiles { count: rows.len() * self.tiles[1], in_blocks: self.in_blocks() };
                let (planes, scratch) = scratch.split_at_mut(self.planes() * self.plane(tiles.count));
                for block in 0..self.in_blocks() {
                    let to = (tiles, 0, planes.as_mut_ptr());
                    // SAFETY: as the caller says.
                    unsafe {
                        with_number!(step.input.number(), N => {
                            self.inputs_of::<V, N>(step, arena, image, block, rows.clone(), to, scratch);
                        });
                    }
                }
                let first = image * self.tiles_of_map() + rows.start * self.tiles[1];
                let range = |split: usize| self.panel_count() * split / splits;
                let inputs = (tiles, planes.as_ptr(), 0..tiles.count);
                (inputs, first, range(split)..range(split + 1), scratch)
            }
            None => {
                let (panel, group) = (task / self.groups(arena.batch), task % self.groups(arena.batch));
                let tiles = Tiles { count: arena.batch * self.tiles_of_map(), in_blocks: self.in_blocks() };
                let range = tiles.group::<V>(group, self.groups(arena.batch));
                let (from, first) = (arena.store(&self.transformed).cast_const(), range.start);
                ((tiles, from, range), first, panel..panel + 1, scratch)
            }
        };
        let (tiles, planes, range) = inputs;
        for panel in panels.clone() {
            let after = (panel + 1 == panels.end).then_some(after);
            let inputs = (tiles, planes, range.clone());
            // SAFETY: as the caller says; the inputs of these tiles have been transformed.
            unsafe { self.panel::<V>((step, packed), arena, (panel, after), inputs, first, &mut *scratch) }
        }
    }
}
