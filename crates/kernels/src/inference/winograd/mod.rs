//! Convolutions of 3×3 and 5×5, and of rows and columns of 3 and 7 taps, by Winograd's algorithms, with packed filters.
//!
//! A tile of outputs needs fewer multiplications between a transformed input tile and a transformed filter than it has
//! taps (`scheme`). With many channels these are matrix products, one for each *plane* of the transformed tiles.
//!
//! Where a map has many tiles a task takes some of them through all steps while they are in its cache. Where it has few,
//! the inputs of all images are transformed first, to memory of the arena, and a task takes some panels of outputs: the
//! filters, which are then most of the memory, are read once. If they are packed as they are, a task transforms those of some
//! inputs at a time: less comes from memory then.

mod filters;
mod products;
mod scheme;
pub(super) mod tile;
mod tiles;
mod transform;

pub(super) use filters::pack;

use super::algorithm::{ConvAlgorithm, Filters};
use super::arena::{Arena, Place};
use super::choice::Choice;
use super::packed::Packed;
use super::step::Convolution;
use crate::conv::{Conv, odd};
use crate::narrow::Stored;
use crate::prefetch::Lines;
use crate::shares::share;
use crate::simd::{LANES, Vector};
use scheme::{F2x3, F2x5, F4x3, F4x7, One, with_scheme};
use std::ops::Range;
use tile::{MOST_TILES, Tile, is_turned, tiles, turned};
use tiles::Tiles;

/// Tiles of a map from which on its tasks are whole.
const MANY: usize = 40;
/// Numbers of transformed filters at most that stay in a cache of 1 MiB beside the products.
const DEPTH: usize = 72 * 1024;
/// Numbers the transformed inputs of a whole task may be: what leaves room for filters in a cache of 1 MiB.
const WHOLE: usize = 112 * 1024;
/// Tiles of a task at least, where there are that many.
const FEWEST: usize = 14;

/// How a convolution is cut and computed.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    algorithm: ConvAlgorithm,
    /// Channels read and written.
    ins: usize,
    outs: usize,
    tile: Tile,
    /// Whether rows are taken for columns, in all that follows.
    turned: bool,
    /// Rows and columns of the output.
    size: [usize; 2],
    padding: [usize; 2],
    /// Tiles of a map, along each axis.
    tiles: [usize; 2],
    /// Blocks of outputs of a panel.
    panels: usize,
    /// Rows of tiles of a whole task; none where the inputs of all images are transformed first.
    whole: Option<usize>,
    /// Where those are.
    transformed: Place,
    /// How the filters are packed.
    filters: Filters,
}

/// Calls a function with the type of the maps' numbers, `f32` or `bf16`.
macro_rules! with_number {
    ($number:expr, $kind:ident => $call:expr) => {
        if $crate::inference::number::Number::HALVES && $number == $crate::inference::number::Number::Bf16 {
            type $kind = $crate::narrow::bf16;
            $call
        } else {
            type $kind = f32;
            $call
        }
    };
}
use with_number;

/// How the tiles of a map are computed.
fn tile_rows(conv: &Conv, size: [usize; 2], choice: Choice) -> Option<usize> {
    let tile = Tile::of(choice.algorithm);
    let [down, across] = tile.tiles(turned(size, is_turned(conv)));
    if down * across < MANY || choice.filters == Filters::Plain {
        return None;
    }
    let most =
        (WHOLE / (tile.planes() * conv.in_channels.next_multiple_of(LANES).max(LANES))).clamp(FEWEST, MOST_TILES);
    // Some tasks at least for a map.
    let rows = (most / across).clamp(1, down.div_ceil(2));
    Some(down.div_ceil(down.div_ceil(rows)))
}

/// Numbers of one image that a convolution needs in the arena for transformed inputs; 0 for none.
pub fn transformed_len(conv: &Conv, size: [usize; 2], choice: Choice) -> usize {
    if choice.algorithm == ConvAlgorithm::Direct || tile_rows(conv, size, choice).is_some() {
        return 0;
    }
    // With all images' together a plane may get one line more.
    let tiles = tiles(choice.algorithm, conv, size, 1);
    Tile::of(choice.algorithm).planes() * (tiles * conv.in_channels.div_ceil(LANES) + 1) * LANES
}

impl Winograd {
    pub(super) fn new(step: &Convolution, panels: usize) -> Self {
        let tile = Tile::of(step.choice.algorithm);
        let transformed = transformed_len(&step.conv, step.output.size, step.choice);
        let turn = is_turned(&step.conv);
        let size = turned(step.output.size, turn);
        Self {
            algorithm: step.choice.algorithm,
            ins: step.conv.in_channels,
            outs: step.conv.out_channels,
            tile,
            turned: turn,
            size,
            padding: turned(step.conv.padding, turn),
            tiles: tile.tiles(size),
            panels,
            whole: tile_rows(&step.conv, step.output.size, step.choice),
            filters: step.choice.filters,
            transformed: Place::of_vectors(step.alone, step.transformed, transformed / LANES),
        }
    }

    /// Numbers from one row of a map to the next and from one column to the next, where it is so high and wide.
    fn steps(&self, [_, width]: [usize; 2]) -> [usize; 2] {
        turned([width * LANES, LANES], self.turned)
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
        self.tile.planes()
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

    /// Whole tasks of a share of the panels. They are one behind the other, so that a thread takes those of the same filters.
    fn tasks_of_share(&self, batch: usize, rows: usize) -> usize {
        batch * self.tiles[0].div_ceil(rows)
    }

    /// Shares of the panels of a whole task.
    fn splits(&self, [batch, threads]: [usize; 2], rows: usize) -> usize {
        let tasks = self.tasks_of_share(batch, rows);
        if tasks >= 2 * threads { 1 } else { (2 * threads).div_ceil(tasks.max(1)).min(self.panel_count()) }
    }

    /// Tasks that write outputs.
    pub(super) fn tasks(&self, batch: usize, threads: usize) -> usize {
        match self.whole {
            Some(rows) => self.tasks_of_share(batch, rows) * self.splits([batch, threads], rows),
            None => self.panel_count() * self.groups(batch),
        }
    }

    /// Inputs whose products are added up at a time: of plain filters as many as are transformed at once.
    fn depth(&self) -> usize {
        match self.filters {
            Filters::Transformed => self.ins,
            Filters::Plain => (DEPTH / (self.planes() * self.panels * LANES)).next_multiple_of(LANES).min(self.ins),
        }
    }

    /// Numbers of scratch memory of a task.
    pub(super) fn scratch(&self) -> usize {
        let strip =
            transform::strip_len(self.tile.inputs[0], self.tiles[1] * self.tile.outputs[1] + self.tile.inputs[1]);
        let products = |tiles: usize| self.planes() * odd(self.panels * tiles) * LANES;
        let own = if self.filters == Filters::Plain { self.planes() * self.filter_plane() } else { 0 };
        match self.whole {
            Some(rows) => {
                let tiles = rows * self.tiles[1];
                (self.planes() * self.plane(tiles) + products(tiles)).max(self.planes() * self.plane(tiles) + strip)
            }
            // A group is whole chunks.
            None => (products(MOST_TILES + LANES) + own).max(strip),
        }
    }

    /// Numbers of the packed filters.
    pub(super) fn packed_len(&self) -> usize {
        match self.filters {
            Filters::Transformed => self.panel_count() * self.panel_len(),
            // As the direct way has them: of the last panel what there is.
            Filters::Plain => self.out_blocks() * LANES * self.ins * self.tile.taps(),
        }
    }

    /// Numbers of a panel's filters.
    fn panel_len(&self) -> usize {
        match self.filters {
            Filters::Transformed => self.planes() * self.filter_plane(),
            Filters::Plain => self.ins * self.tile.taps() * self.panels * LANES,
        }
    }

    /// Numbers between two planes of transformed filters.
    fn filter_plane(&self) -> usize {
        odd(self.depth() * self.panels) * LANES
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
        rows: Range<usize>,
        (tiles, first, to): (Tiles, usize, *mut f32),
        scratch: &mut [f32],
    ) {
        let Some(place) = step.input.place() else { return };
        let source = transform::Source {
            from: arena.at_number::<N>(place, image).wrapping_add(block * place.plane()).cast_const(),
            steps: self.steps(place.size),
            size: turned(place.size, self.turned),
            padding: self.padding,
            map: step.input.map(),
            block,
        };
        let across = self.tiles[1];
        for row in rows.clone() {
            let first = first + (row - rows.start) * across;
            let to = transform::Target { tiles, first, to, plane: self.plane(tiles.count) };
            with_scheme!(self.algorithm, D, A => {
                // SAFETY: the map is read within its bounds; each block of a tile has a place of its own.
                unsafe { transform::row_of_tiles::<V, D, A, N>(&source, row, across, &to, scratch) }
            });
        }
    }

    /// Where in the packed filters a task that writes outputs begins.
    pub(super) fn first_weight(&self, task: usize, [batch, threads]: [usize; 2]) -> usize {
        let panel = match self.whole {
            Some(rows) => {
                let split = task / self.tasks_of_share(batch, rows);
                share(self.panel_count(), split, self.splits([batch, threads], rows)).start
            }
            None => task / self.groups(batch),
        };
        panel * self.panel_len()
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
                let splits = self.splits([arena.batch, arena.threads], rows);
                let each = self.tasks_of_share(arena.batch, rows);
                let (split, task) = (task / each, task % each);
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
                let inputs = (tiles, planes.as_ptr(), 0..tiles.count);
                (inputs, first, share(self.panel_count(), split, splits), scratch)
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
