//! The gradient of the weights: with tiles `d` of the input and `y` of the gradient of the output,
//! `Gᵀ [Σ (A y Aᵀ) ⊙ (Bᵀ d B)] G`, summed over all tiles of all images.
//!
//! For each of the 36 planes the sum is a matrix product between input and output channels over tiles. The tiles are
//! gone through group by group: all channels of a group are transformed, then multiplied. Where channels are few, tasks
//! take slices of the tiles and do both, with sums of their own that are added up in their order at the end. Otherwise
//! tasks share a group, and divide the channels: no sums are added up but where there are several groups. Of the side with
//! more channels a group then holds some at a time.

use super::super::correlate::panels;
use super::super::micro::{self, Place, Runs};
use super::super::sweep::Axis;
use super::super::tile::Tile;
use super::super::{Algorithm, Conv};
use super::{IN, PLANES, STRIP, odd, outputs, suits, transform_inputs, transforms, whole_axis};
use crate::ahead::Lines;
use crate::buffer::{Shared, with_scratch};
use crate::conv::tile::even;
use crate::element::Element;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::threads::for_each;
use crate::transpose::{SharedRows, to_rows};
use crate::view::View;
use std::any::TypeId;
use std::ops::Range;

/// Tiles multiplied at once: what lets a block of inputs and a panel of gradients stay in a first-level cache of 32 KiB.
const PIECE: usize = 112;
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
/// Numbers of the transformed tiles of a group that tasks share: going through all sums once more costs more than to
/// write and read transformed tiles that no cache holds.
const SHARED_GROUP: usize = 12 * 1024 * 1024;
/// Blocks of input channels and panels of output channels of a task's product.
const CHUNK: [usize; 2] = [4, 2];
/// Tasks there should be, for any number of threads.
const TASKS: usize = 16;
/// Numbers of the transformed tiles of a shared group up to which it holds all channels of both sides at a time.
const ALL_CHANNELS: usize = 3 * 1024 * 1024;
/// Tiles a task transforms where a group is shared, and blocks of either side.
const TRANSFORMED: [usize; 2] = [32, 4];
/// Numbers of the inputs of a strip, as they are and transformed along one axis, with the widest tiles.
const HELD: usize = 2 * IN * (STRIP * 4 + 2) * LANES;

impl Conv {
    /// Whether the gradient of the weights is to be computed by Winograd's algorithm.
    pub(in super::super) fn weights_by_winograd<T: Element>(
        &self,
        algorithm: Algorithm,
        axes: &[Axis; 2],
        batch: usize,
    ) -> bool {
        match algorithm {
            Algorithm::Auto => {
                let all_taps = axes.iter().all(|axis| axis.phases[0].taps.len() == self.kernel[0]);
                let size = [axes[0].count(), axes[1].count()];
                let channels = [self.in_channels, self.out_channels];
                TypeId::of::<T>() == TypeId::of::<f32>()
                    && suits(self)
                    && all_taps
                    && pays(self.kernel[0], channels, batch, size)
            }
            Algorithm::Direct => false,
            Algorithm::Winograd => {
                assert!(suits(self), "no Winograd algorithm for {self:?}");
                true
            }
        }
    }

    /// The gradient of the weights by Winograd's algorithm.
    pub(in super::super) fn winograd_weights<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        weights: &mut [T],
    ) {
        match self.kernel {
            [5, 5] => Sum::<T, 2, 5>::new(self, set, *input, *gradient).run(set, weights),
            _ => Sum::<T, 4, 3>::new(self, set, *input, *gradient).run(set, weights),
        }
    }
}

/// Whether the algorithm is likely to take less time than the direct computation, of which it must promise a tenth.
///
/// Counted as in [`super::cut::pays`]; what is done once per weight is to bring the sums to their place, and with
/// Winograd's algorithm their transform.
fn pays(kernel: usize, [ins, outs]: [usize; 2], batch: usize, size: [usize; 2]) -> bool {
    let [pixels, tiles] =
        [1, outputs(kernel)].map(|step| (batch * size[0].div_ceil(step) * size[1].div_ceil(step)) as f64);
    let blocks = (ins.div_ceil(LANES) + outs.div_ceil(LANES)) as f64;
    let pairs = ins as f64 * outs.div_ceil(LANES) as f64;
    let taps = (kernel * kernel) as f64;
    let direct = pixels * (taps * pairs + 18.0 * blocks) + 72.0 * taps * pairs;
    let winograd = tiles * (1.4 * 36.0 * pairs + 640.0 * blocks) + 100.0 * taps * pairs;
    1.1 * winograd < direct
}

/// How the work is cut; the sums depend on shapes alone.
#[derive(Clone, Copy)]
struct Cut {
    tiles: usize,
    /// Tiles of a group at most.
    group: usize,
    /// Slices of the tiles, each with a task and sums of its own; 0 where tasks share all groups.
    slices: usize,
    /// Parts of the planes that tasks take where they share groups.
    parts: usize,
    /// Blocks of channels of either side that a group holds at a time.
    at_once: [usize; 2],
}

impl Cut {
    fn new(channels: [usize; 2], tiles: usize, panels: usize) -> Self {
        let blocks = channels.map(|channels| channels.div_ceil(LANES));
        let [ins, outs] = blocks;
        let per_tile = PLANES * (ins + outs).max(1) * LANES;
        let sums = PLANES * ins * outs * LANES * LANES;
        let slices = (tiles / SLICE_TILES).clamp(SLICES, TASKS);
        if sums <= SLICE_SUMS && tiles >= slices * FEWEST_TILES {
            let group = even(tiles.div_ceil(slices), (SLICE_GROUP / per_tile).clamp(FEWEST, PIECE));
            return Self { tiles, group, slices, parts: 1, at_once: blocks };
        }
        let tasks = ins.div_ceil(CHUNK[0]) * outs.div_ceil(2 * CHUNK[1]);
        let parts = [1, 2, 3, 4, 6, 9, 12, 18].into_iter().find(|parts| tasks * parts >= TASKS).unwrap_or(PLANES);
        let group = even(tiles, (SHARED_GROUP / per_tile).max(PIECE));
        let at_once = |group: usize| match group * per_tile > ALL_CHANNELS {
            true => Self::some_of(blocks, panels),
            false => blocks,
        };
        // With a single group sums go straight to the weights, and take no memory.
        let held = |group: usize| group * PLANES * LANES * at_once(group).iter().sum::<usize>();
        let single = parts == 1 && held(tiles) <= held(group) + sums;
        let group = if single { tiles } else { group };
        Self { tiles, group, slices: 0, parts, at_once: at_once(group) }
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

    /// Tiles of a slice.
    fn slice(&self, slice: usize) -> Range<usize> {
        self.tiles * slice / self.slices..self.tiles * (slice + 1) / self.slices
    }
}

/// The shape of the computation, and what it reads.
struct Sum<'a, T, const OUT: usize, const KERNEL: usize> {
    input: View<'a, T>,
    gradient: View<'a, T>,
    axes: [Axis; 2],
    /// Of the input and of the output.
    channels: [usize; 2],
    /// Rows and columns of tiles.
    counts: [usize; 2],
    /// Blocks of outputs of a panel.
    panels: usize,
    cut: Cut,
}

/// Transformed tiles.
struct Group<'a, T> {
    tiles: Range<usize>,
    /// The first block of either side that is held.
    first: [usize; 2],
    planes: [Shared<'a, T>; 2],
}

impl<'a, T: Element> Group<'a, T> {
    /// Tiles that will be in planes of these lengths, behind each other.
    fn of(tiles: Range<usize>, planes: &'a mut [T], lengths: [usize; 2]) -> Self {
        let (inputs, gradients) = planes[..lengths[0] + lengths[1]].split_at_mut(lengths[0]);
        Self { tiles, first: [0, 0], planes: [Shared::new(inputs), Shared::new(gradients)] }
    }

    /// Where in a plane of `run` tiles for each block the tiles from `tile` on begin.
    #[inline(always)]
    fn starts(&self, side: usize, block: usize, tile: usize, run: usize, starts: &mut [usize]) {
        let first = (block - self.first[side]) * run + tile - self.tiles.start;
        for number in 0..starts.len() {
            starts[number] = (first + number) * LANES;
        }
    }
}

/// Sums between some blocks of inputs and panels of outputs: `[panel][block][plane][input][output]`.
#[derive(Clone, Copy)]
struct Sums<'a, T> {
    shared: Shared<'a, T>,
    start: usize,
    blocks: [usize; 2],
    first_panel: usize,
}

impl<'a, T: Element, const OUT: usize, const KERNEL: usize> Sum<'a, T, OUT, KERNEL> {
    /// Taps of a filter.
    const TAPS: usize = KERNEL * KERNEL;

    fn new(conv: &Conv, set: InstructionSet, input: View<'a, T>, gradient: View<'a, T>) -> Self {
        let size = gradient.size();
        let counts = size.map(|pixels| pixels.div_ceil(OUT));
        let channels = [conv.in_channels, conv.out_channels];
        let panels = panels::<T>(set);
        let cut = Cut::new(channels, gradient.place.batch * counts[0] * counts[1], panels);
        let axes = [0, 1].map(|axis| whole_axis(KERNEL, -(conv.padding[axis] as isize), size[axis]));
        Self { input, gradient, axes, channels, counts, panels, cut }
    }

    fn run(&self, set: InstructionSet, weights: &mut [T]) {
        let weights = Shared::new(weights);
        match self.cut.slices {
            0 if self.cut.group >= self.cut.tiles && self.cut.parts == 1 => {
                let lengths = self.lengths();
                with_scratch(lengths[0] + lengths[1], |planes| {
                    self.group(set, 0..self.cut.tiles, planes, None, weights);
                });
            }
            0 => self.by_groups(set, weights),
            _ => self.by_slices(set, weights),
        }
    }

    /// All tasks share groups, one after the other, and the sums.
    fn by_groups(&self, set: InstructionSet, weights: Shared<'_, T>) {
        let (whole, lengths) = (self.sums(self.blocks(0), self.panel_count()), self.lengths());
        with_scratch(whole + lengths[0] + lengths[1], |scratch| {
            let (sums, planes) = scratch.split_at_mut(whole);
            let sums = Shared::new(sums);
            let mut first = 0;
            // Once where there are no tiles, for the sums to be zeros.
            while first < self.cut.tiles.max(1) {
                let tiles = first..self.cut.tiles.min(first + self.cut.group);
                self.group(set, tiles, planes, Some(sums), weights);
                first += self.cut.group;
            }
            self.finish(set, sums, [1, whole], weights);
        });
    }

    /// Each task has a slice of the tiles and sums of its own.
    fn by_slices(&self, set: InstructionSet, weights: Shared<'_, T>) {
        let (cut, lengths) = (&self.cut, self.lengths());
        let whole = self.sums(self.blocks(0), self.panel_count());
        with_scratch(cut.slices * whole, |sums| {
            let sums = Shared::new(sums);
            for_each(cut.slices, |slice| {
                with_scratch(lengths[0] + lengths[1] + HELD, |scratch| {
                    let (planes, scratch) = scratch.split_at_mut(lengths[0] + lengths[1]);
                    let (all, sums) = (cut.slice(slice), self.all(sums, slice * whole));
                    let mut group = Group::of(all.clone(), planes, lengths);
                    for first in all.clone().step_by(cut.group) {
                        group.tiles = first..all.end.min(first + cut.group);
                        let (tiles, group, scratch) = (group.tiles.clone(), &group, &mut *scratch);
                        let blocks = [0, 1].map(|side| 0..self.blocks(side));
                        dispatch(set, Transform { sum: self, group, tiles, blocks, scratch });
                        let (blocks, panels, parts) = (0..self.blocks(0), 0..self.panel_count(), 0..PLANES);
                        let fresh = first == all.start;
                        dispatch(set, Multiply { sum: self, group, parts, blocks, panels, sums, fresh });
                    }
                });
            });
            self.finish(set, sums, [cut.slices, whole], weights);
        });
    }

    /// Transforms a group of tiles and adds their products to the sums; where there are none, the group is all there is
    /// and what comes of it goes to the weights. Tasks share the work; of one side, some channels come after the others.
    fn group(
        &self,
        set: InstructionSet,
        tiles: Range<usize>,
        planes: &mut [T],
        sums: Option<Shared<'_, T>>,
        weights: Shared<'_, T>,
    ) {
        let mut group = Group::of(tiles, planes, self.lengths());
        let side = usize::from(self.cut.at_once[0] >= self.blocks(0));
        for first in (0..self.blocks(side)).step_by(self.cut.at_once[side].max(1)) {
            let mut held = [0, 1].map(|side| 0..self.blocks(side));
            held[side] = first..held[side].end.min(first + self.cut.at_once[side]);
            group.first[side] = first;
            let mut new = held.clone();
            if first > 0 {
                new[1 - side] = 0..0;
            }
            self.transform(set, &group, new);
            self.multiply(set, &group, held, sums, weights);
        }
    }

    /// Transforms some blocks of either side of a group.
    fn transform(&self, set: InstructionSet, group: &Group<'_, T>, blocks: [Range<usize>; 2]) {
        let pieces = group.tiles.len().div_ceil(TRANSFORMED[0]);
        // Those of the inputs are counted before those of the gradients.
        let (inputs, all) = (blocks[0].len(), blocks[0].len() + blocks[1].len());
        let runs = all.div_ceil(TRANSFORMED[1]);
        // Scratch memory comes before `dispatch`: closures do not take over the instructions they are called with.
        for_each(pieces * runs, |task| {
            let start = group.tiles.start + task / runs * TRANSFORMED[0];
            let tiles = start..group.tiles.end.min(start + TRANSFORMED[0]);
            let (start, end) = (task % runs * TRANSFORMED[1], all.min((task % runs + 1) * TRANSFORMED[1]));
            let part = |side: usize, before: usize| {
                let number = |number: usize| blocks[side].start + number.saturating_sub(before).min(blocks[side].len());
                number(start)..number(end)
            };
            let blocks = [part(0, 0), part(1, inputs)];
            with_scratch(HELD, |scratch| dispatch(set, Transform { sum: self, group, tiles, blocks, scratch }));
        });
    }

    /// Multiplies some blocks of either side of a group.
    fn multiply(
        &self,
        set: InstructionSet,
        group: &Group<'_, T>,
        [inputs, gradients]: [Range<usize>; 2],
        sums: Option<Shared<'_, T>>,
        weights: Shared<'_, T>,
    ) {
        let parts = self.cut.parts;
        let all = gradients.start / self.panels..gradients.end.div_ceil(self.panels);
        let chunks = [inputs.len().div_ceil(CHUNK[0]), all.len().div_ceil(CHUNK[1])];
        for_each(chunks[0] * chunks[1] * parts, |task| {
            let (chunk, part) = (task / parts, task % parts);
            let block = inputs.start + chunk / chunks[1] * CHUNK[0];
            let panel = all.start + chunk % chunks[1] * CHUNK[1];
            let (blocks, panels) = (block..inputs.end.min(block + CHUNK[0]), panel..all.end.min(panel + CHUNK[1]));
            let parts = PLANES * part / parts..PLANES * (part + 1) / parts;
            let fresh = group.tiles.start == 0;
            if let Some(sums) = sums {
                let sums = self.all(sums, 0);
                dispatch(set, Multiply { sum: self, group, parts, blocks, panels, sums, fresh });
                return;
            }
            let len = self.sums(blocks.len(), panels.len());
            with_scratch(len + self.collected(), |scratch| {
                let (sums, collected) = scratch.split_at_mut(len);
                let shared = Shared::new(sums);
                let sums = Sums { shared, start: 0, blocks: [blocks.start, blocks.end], first_panel: panels.start };
                let (of_blocks, of_panels) = (blocks.clone(), panels.clone());
                let multiply = Multiply { sum: self, group, parts, blocks: of_blocks, panels: of_panels, sums, fresh };
                dispatch(set, multiply);
                dispatch(set, Invert { sum: self, blocks, panels, sums, slices: [1, 0], collected, weights });
            });
        });
    }

    /// Brings the sums of all slices to the weights.
    fn finish(&self, set: InstructionSet, sums: Shared<'_, T>, slices: [usize; 2], weights: Shared<'_, T>) {
        for_each(self.blocks(0) * self.panel_count(), |task| {
            let (panel, block) = (task / self.blocks(0), task % self.blocks(0));
            with_scratch(self.collected(), |collected| {
                let sums = self.all(sums, 0);
                let (blocks, panels) = (block..block + 1, panel..panel + 1);
                dispatch(set, Invert { sum: self, blocks, panels, sums, slices, collected, weights });
            });
        });
    }

    /// Blocks of channels of the input or of the output.
    fn blocks(&self, side: usize) -> usize {
        self.channels[side].div_ceil(LANES)
    }

    /// Number of panels.
    fn panel_count(&self) -> usize {
        self.blocks(1).div_ceil(self.panels)
    }

    /// Blocks of outputs of a panel.
    fn width(&self, panel: usize) -> usize {
        self.panels.min(self.blocks(1) - panel * self.panels)
    }

    /// Channels of a block of inputs.
    fn inputs(&self, block: usize) -> usize {
        LANES.min(self.channels[0] - block * LANES)
    }

    /// Distance of two planes of transformed tiles, `[block][tile]`.
    fn plane(&self, side: usize) -> usize {
        odd(self.cut.at_once[side] * self.cut.group) * LANES
    }

    /// Numbers of a group's planes, of either side.
    fn lengths(&self) -> [usize; 2] {
        [0, 1].map(|side| PLANES * self.plane(side))
    }

    /// Numbers of the sums of some blocks of inputs and whole panels.
    fn sums(&self, blocks: usize, panels: usize) -> usize {
        blocks * panels * PLANES * LANES * self.panels * LANES
    }

    /// Numbers of the weights between a block of inputs and a panel.
    fn collected(&self) -> usize {
        LANES * Self::TAPS * self.panels * LANES
    }

    /// The sums of all channels, from `start` on.
    fn all<'s>(&self, shared: Shared<'s, T>, start: usize) -> Sums<'s, T> {
        Sums { shared, start, blocks: [0, self.blocks(0)], first_panel: 0 }
    }

    /// Where the sums between a block of inputs and a panel are.
    fn sums_at(&self, sums: &Sums<'_, T>, block: usize, panel: usize) -> usize {
        let [first, end] = sums.blocks;
        sums.start
            + self.sums(end - first, panel - sums.first_panel)
            + (block - first) * PLANES * LANES * self.width(panel) * LANES
    }
}

/// Transforms some blocks of either side, of some tiles of a group.
struct Transform<'a, T, const OUT: usize, const KERNEL: usize> {
    sum: &'a Sum<'a, T, OUT, KERNEL>,
    group: &'a Group<'a, T>,
    tiles: Range<usize>,
    blocks: [Range<usize>; 2],
    scratch: &'a mut [T],
}

impl<T: Element, const OUT: usize, const KERNEL: usize> Kernel<T> for Transform<'_, T, OUT, KERNEL> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { sum, group, tiles, blocks, scratch } = self;
        let [down, across] = sum.counts;
        let mut tile = tiles.start;
        while tile < tiles.end {
            let (image, y, x) = (tile / (down * across), tile / across % down, tile % across);
            let count = STRIP.min(across - x).min(tiles.end - tile);
            let span = [y * OUT..(y + 1) * OUT, x * OUT..(x + count) * OUT];
            let window = Tile::new(&sum.axes, image..image + 1, span);
            let mut starts = [0; STRIP];
            let starts = &mut starts[..count];
            for block in blocks[0].clone() {
                group.starts(0, block, tile, sum.cut.group, starts);
                let (held, band) = scratch.split_at_mut(window.block());
                window.fill::<V>(&sum.input, block..block + 1, held);
                transform_inputs::<V, OUT>(starts, held, band, group.planes[0], sum.plane(0));
            }
            for block in blocks[1].clone() {
                group.starts(1, block, tile, sum.cut.group, starts);
                let (held, band) = scratch.split_at_mut(OUT * count * OUT * LANES);
                sum.read_gradients::<V>([image, block, y * OUT, x * OUT], count, held);
                transform_gradients::<V, OUT>(starts, held, band, group.planes[1], sum.plane(1));
            }
            tile += count;
        }
    }
}

impl<T: Element, const OUT: usize, const KERNEL: usize> Sum<'_, T, OUT, KERNEL> {
    /// Reads a block of gradients of `count` tiles beside each other, zeros where there are none.
    #[inline(always)]
    fn read_gradients<V: Vector<Element = T>>(
        &self,
        [image, block, row, column]: [usize; 4],
        count: usize,
        to: &mut [T],
    ) {
        let [height, width] = self.gradient.size();
        let columns = (count * OUT).min(width - column);
        for y in 0..OUT {
            let to = &mut to[y * count * OUT * LANES..][..count * OUT * LANES];
            let columns = if row + y < height { columns } else { 0 };
            self.gradient.read::<V>([image, block, row + y, column], columns, to);
            to[columns * LANES..].fill(T::ZERO);
        }
    }
}

/// Transforms a block of gradients of tiles beside each other as [`transform_inputs`] does inputs.
#[inline(always)]
fn transform_gradients<V: Vector, const OUT: usize>(
    starts: &[usize],
    held: &[V::Element],
    band: &mut [V::Element],
    planes: Shared<'_, V::Element>,
    plane: usize,
) {
    let row = starts.len() * OUT * LANES;
    let (held, band) = (&held[..OUT * row], &mut band[..IN * row]);
    for at in (0..row).step_by(LANES) {
        let mut d = [V::zero(); OUT];
        for y in 0..OUT {
            // SAFETY: within `held`.
            d[y] = unsafe { V::load(held.as_ptr().add(y * row + at)) };
        }
        let d = transforms::gradient(d);
        for y in 0..IN {
            // SAFETY: within `band`.
            unsafe { d[y].store(band.as_mut_ptr().add(y * row + at)) };
        }
    }
    for x in 0..starts.len() {
        // SAFETY: each block of a tile has a place of its own in each plane.
        let to = unsafe { planes.pointer(starts[x]..starts[x] + (PLANES - 1) * plane + LANES) };
        for y in 0..IN {
            let mut d = [V::zero(); OUT];
            for i in 0..OUT {
                // SAFETY: within `band`.
                d[i] = unsafe { V::load(band.as_ptr().add(y * row + (x * OUT + i) * LANES)) };
            }
            let d = transforms::gradient(d);
            for i in 0..IN {
                // SAFETY: the bounds are checked above.
                unsafe { d[i].store(to.add((y * IN + i) * plane)) };
            }
        }
    }
}

/// Adds the products of some blocks of inputs and panels of outputs in some planes, over a group of tiles, to their sums.
struct Multiply<'a, T, const OUT: usize, const KERNEL: usize> {
    sum: &'a Sum<'a, T, OUT, KERNEL>,
    group: &'a Group<'a, T>,
    parts: Range<usize>,
    blocks: Range<usize>,
    panels: Range<usize>,
    sums: Sums<'a, T>,
    /// Whether the sums hold nothing yet.
    fresh: bool,
}

impl<T: Element, const OUT: usize, const KERNEL: usize> Kernel<T> for Multiply<'_, T, OUT, KERNEL> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { sum, group, parts, blocks, panels, sums, fresh } = self;
        let tiles = group.tiles.len();
        let mut places = [Place::default(); LANES];
        for lane in 0..LANES {
            places[lane] = Place { input: lane, sums: lane };
        }
        let run = sum.cut.group * LANES;
        let piece = tiles.div_ceil(tiles.div_ceil(PIECE).max(1)).max(1);
        for number in parts {
            let start = number * sum.plane(0);
            // SAFETY: nothing is written to the planes meanwhile.
            let inputs = unsafe { group.planes[0].pointer(start..start + sum.cut.at_once[0] * run) };
            let start = number * sum.plane(1);
            // SAFETY: as above.
            let gradients = unsafe { group.planes[1].pointer(start..start + sum.cut.at_once[1] * run) };
            let mut first = 0;
            while first < tiles || (fresh && first == 0) {
                let pixels = piece.min(tiles - first);
                for panel in panels.clone() {
                    let width = sum.width(panel);
                    for block in blocks.clone() {
                        let length = LANES * width * LANES;
                        let start = sum.sums_at(&sums, block, panel) + number * length;
                        // SAFETY: tasks divide planes, blocks and panels among them, or have sums of their own.
                        let sums = unsafe { sums.shared.part(start..start + length) };
                        if fresh && first == 0 {
                            sums.fill(T::ZERO);
                        }
                        let runs = Runs { starts: &[[0, 0]], pixels, block: run, ahead: Lines::NONE };
                        let mut row = 0;
                        while row < sum.inputs(block) {
                            let rows = V::ROWS.min(sum.inputs(block) - row);
                            // SAFETY: the planes hold all tiles of the block and of the panel; `sums` holds sixteen
                            // inputs of the panel; sizes are within what V says.
                            unsafe {
                                micro::outer::<V, LANES>(
                                    &places[row..row + rows],
                                    width,
                                    inputs.add((block - group.first[0]) * run + first * LANES),
                                    gradients.add((panel * sum.panels - group.first[1]) * run + first * LANES),
                                    &runs,
                                    sums.as_mut_ptr(),
                                );
                            }
                            row += rows;
                        }
                    }
                }
                first += piece;
            }
        }
    }
}

/// Transforms the sums between some blocks of inputs and panels back to weights: `slices[0]` sums at a distance of
/// `slices[1]`, added up in their order.
struct Invert<'a, T, const OUT: usize, const KERNEL: usize> {
    sum: &'a Sum<'a, T, OUT, KERNEL>,
    blocks: Range<usize>,
    panels: Range<usize>,
    sums: Sums<'a, T>,
    slices: [usize; 2],
    collected: &'a mut [T],
    weights: Shared<'a, T>,
}

impl<T: Element, const OUT: usize, const KERNEL: usize> Kernel<T> for Invert<'_, T, OUT, KERNEL> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        for panel in self.panels.clone() {
            for block in self.blocks.clone() {
                self.sum.invert::<V>([block, panel], &self.sums, self.slices, self.collected);
                self.sum.unpack::<V>([block, panel], self.collected, self.weights);
            }
        }
    }
}

impl<T: Element, const OUT: usize, const KERNEL: usize> Sum<'_, T, OUT, KERNEL> {
    /// Transforms sums back to `[input][tap][output]`.
    #[inline(always)]
    fn invert<V: Vector<Element = T>>(
        &self,
        [block, panel]: [usize; 2],
        sums: &Sums<'_, T>,
        [slices, slice]: [usize; 2],
        to: &mut [T],
    ) {
        let width = self.width(panel) * LANES;
        let (start, plane) = (self.sums_at(sums, block, panel), LANES * width);
        // SAFETY: nothing is written to the sums meanwhile.
        let from = unsafe { sums.shared.pointer(start..start + (slices - 1) * slice + PLANES * plane) };
        let to = &mut to[..self.inputs(block) * Self::TAPS * width];
        for vector in 0..self.inputs(block) * width / LANES {
            let (input, lanes) = (vector * LANES / width, vector * LANES % width);
            let mut half = [[V::zero(); IN]; KERNEL];
            for x in 0..IN {
                let mut m = [V::zero(); IN];
                for y in 0..IN {
                    // SAFETY: each plane of each slice has a row of the panel for each input; bounds are checked above.
                    unsafe {
                        let from = from.add((y * IN + x) * plane + input * width + lanes);
                        let mut value = V::load(from);
                        for number in 1..slices {
                            value = value.add(V::load(from.add(number * slice)));
                        }
                        m[y] = value;
                    }
                }
                let m = transforms::weights::<V, KERNEL>(m);
                for j in 0..KERNEL {
                    half[j][x] = m[j];
                }
            }
            for j in 0..KERNEL {
                let row = transforms::weights::<V, KERNEL>(half[j]);
                for i in 0..KERNEL {
                    // SAFETY: within `to`, a row for each tap of each input.
                    unsafe { row[i].store(to.as_mut_ptr().add((input * Self::TAPS + j * KERNEL + i) * width + lanes)) };
                }
            }
        }
    }

    /// Copies `[input][tap][output]` to the place of the weights.
    #[inline(always)]
    fn unpack<V: Vector<Element = T>>(&self, [block, panel]: [usize; 2], from: &[T], weights: Shared<'_, T>) {
        let (width, first) = (self.width(panel) * LANES, panel * self.panels * LANES);
        let mut places = [[[0; KERNEL]; KERNEL]; LANES];
        let places = &mut places.as_flattened_mut().as_flattened_mut()[..self.inputs(block) * Self::TAPS];
        places.iter_mut().enumerate().for_each(|(number, place)| *place = number * width);
        let stride = self.channels[0] * Self::TAPS;
        for lanes in (first..self.channels[1].min(first + width)).step_by(LANES) {
            let start = lanes * stride + block * LANES * Self::TAPS;
            let count = LANES.min(self.channels[1] - lanes);
            let to = SharedRows { numbers: weights, start, stride };
            // SAFETY: the weights between a block and a panel are written once.
            unsafe { to_rows::<V>(&from[lanes - first..], places, 0..count, &to) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_pays_for_most_convolutions_of_networks() {
        for (channels, size) in [(64, 56), (128, 28), (256, 14), (512, 7), (64, 224), (512, 28), (64, 8), (128, 4)] {
            assert!(pays(3, [channels; 2], 8, [size; 2]), "{channels}@{size}");
        }
        assert!(pays(3, [16; 2], 128, [32; 2]) && pays(3, [128, 32], 8, [7; 2]) && pays(3, [192, 384], 32, [13; 2]));
    }

    #[test]
    fn it_does_not_pay_for_colours_or_few_pixels() {
        assert!(!pays(3, [3, 64], 8, [224; 2]) && !pays(3, [3, 16], 128, [32; 2]) && !pays(3, [1, 6], 64, [28; 2]));
        assert!(!pays(3, [512; 2], 1, [7; 2]) && !pays(3, [128; 2], 1, [4; 2]) && !pays(3, [64; 2], 0, [8; 2]));
    }
}
