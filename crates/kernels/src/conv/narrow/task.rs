//! One task: a share of the outputs of a tile.

use super::Weights;
use super::cells::Cells;
use super::cut::Cut;
use super::micro::{Depth, MOST_PANELS, SUMS, product};
use crate::buffer::Shared;
use crate::conv::tile::Tile;
use crate::narrow::{Apply, Finish, Format, Outlet, Parts, Source, Stored, Target};
use crate::narrow::{Values, open};
use crate::prefetch::{LINE, Lines};
use crate::simd::{Dot, DotKernel, LANES, Vector};
use crate::threads::{for_each, threads};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cache lines of weights that are asked for at most.
const MOST_AHEAD: usize = 256 * 1024 / LINE;

/// Computes a convolution.
///
/// # Panics
///
/// Where shapes or lengths do not fit, or the workspace is too small for one thread.
pub(crate) fn run<F: Format>(
    weights: &Weights<F>,
    source: Source<'_, F>,
    target: Target<'_, F>,
    finish: &Finish<'_, F>,
    workspace: &mut [f32],
) {
    source.check();
    weights.conv.check(&source.region, &target.region(), weights.conv.weights());
    let Some(cut) = weights.cut(&source.region) else { return };
    let target = Parts::from(target);
    let own = cut.workspace();
    let slots = (workspace.len() / own).min(threads());
    assert!(slots > 0, "a workspace of {} numbers, where a thread needs {own}", workspace.len());
    let (tasks, next, workspace) = (cut.tasks(), AtomicUsize::new(0), Shared::new(workspace));
    // Memory belongs to a slot; whoever has the slot takes tasks until there are none.
    for_each(slots.min(tasks), |slot| {
        // SAFETY: each slot has a part of its own.
        let memory = unsafe { workspace.part(slot * own..(slot + 1) * own) };
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= tasks {
                break;
            }
            task((weights, &cut), source, target, finish, (number, Lines::NONE), &mut *memory);
        }
    });
}

/// One of the tasks of a convolution whose ends have been checked, in `memory` of as many numbers as [`Cut::workspace`]
/// says; the last of its panels asks for `after`.
pub(crate) fn task<F: Format>(
    (weights, cut): (&Weights<F>, &Cut),
    mut source: Source<'_, F>,
    target: Parts<'_, F>,
    finish: &Finish<'_, F>,
    (number, after): (usize, Lines),
    memory: &mut [f32],
) {
    if cut.flat {
        source.region = source.region.flat();
    }
    let (split, number) = cut.share_of(number);
    let (part, bundle) = (number / cut.bundles, number % cut.bundles);
    let tile = cut.tile_of(part);
    open!(target, finish, outlet => {
        let outlet = if cut.flat { outlet.flat() } else { outlet };
        let task = Task { weights, cut, source: &source, outlet: &outlet, tile, bundle, split, after };
        F::dispatch(weights.set, Placed { task, memory });
    });
}

struct Task<'a, F: Format, O> {
    weights: &'a Weights<F>,
    cut: &'a Cut,
    source: &'a Source<'a, F>,
    outlet: &'a Outlet<'a, F, O>,
    tile: Tile,
    bundle: usize,
    split: usize,
    after: Lines,
}

/// A task with its memory.
struct Placed<'a, F: Format, O> {
    task: Task<'a, F, O>,
    memory: &'a mut [f32],
}

impl<F: Format, O: Stored> DotKernel<F> for Placed<'_, F, O> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) {
        let Self { task, memory } = self;
        let Task { weights, cut, source, tile, bundle, .. } = &task;
        let bundles = weights.bundles;
        let in_blocks = bundles.ins.div_ceil(LANES);
        let blocks = bundle * in_blocks..(bundle + 1) * in_blocks;
        if tile.positions() == 0 {
            return;
        }
        // A tile begins on a cache line.
        let past = memory.as_ptr().addr() / size_of::<f32>() % LANES;
        let memory = &mut memory[(LANES - past) % LANES..];
        let (held, taps) = memory.split_at_mut(cut.tile.next_multiple_of(LANES).min(memory.len()));
        let [rows, columns] = weights.conv.kernel;
        let in_place = cut.in_place && source.map.is_none();
        // Whole blocks of a 1x1 convolution are gone through as taps are: one loop instead of two.
        let blocks_as_taps = in_place && bundles.ins.is_multiple_of(LANES);
        let taps = &mut taps[..if blocks_as_taps { in_blocks } else { rows * columns }];
        // SAFETY: as many words as numbers, of which any bits are one.
        let taps: &mut [u32] = unsafe { std::slice::from_raw_parts_mut(taps.as_mut_ptr().cast(), taps.len()) };
        let (input, block) = if in_place {
            let region = &source.region;
            let start = region.at(tile.images.start, blocks.start, 0, tile.span[1].start);
            let block = region.at(0, 1, 0, 0) - region.at(0, 0, 0, 0);
            for (number, tap) in taps.iter_mut().enumerate() {
                *tap = (number * block / D::PER_WORD) as u32;
            }
            (source.data[start..].as_ptr().cast::<u32>(), block / D::PER_WORD)
        } else {
            let offset = |axis: usize, tap: usize| {
                (tap * weights.conv.dilation[axis]) as isize - weights.conv.padding[axis] as isize
            };
            for (tap, to) in taps.iter_mut().enumerate() {
                *to = (tile.tap([offset(0, tap / columns), offset(1, tap % columns)]) / D::PER_WORD) as u32;
            }
            let cells = tile.block() * in_blocks;
            assert!(cells / D::PER_WORD <= held.len());
            // SAFETY: cells are whole numbers of at most 32 bits, as many as the tile has room for, and any bits are one.
            let held = unsafe { std::slice::from_raw_parts_mut(held.as_mut_ptr().cast::<D::Cell>(), cells) };
            tile.fill_from(&Cells::<V, D> { source, vectors: PhantomData }, blocks, held);
            (held.as_ptr().cast::<u32>(), tile.block() / D::PER_WORD)
        };
        let panels = cut.share(task.split);
        for panel in panels.clone() {
            let next = if panel + 1 < panels.end {
                let weights = task.weights_of(panel + 1, D::PANELS);
                Lines::new(weights.as_ptr(), size_of_val(weights) / LINE)
            } else {
                task.after
            };
            let blocks = if blocks_as_taps { 1 } else { in_blocks };
            // SAFETY: the tile, or the maps, hold the windows of all positions.
            unsafe { task.panel::<V, D>(panel, next, (input, block, blocks), taps) }
        }
    }
}

impl<F: Format, O: Stored> Task<'_, F, O> {
    /// The packed weights of a panel of `most` blocks, or of as many as are left.
    fn weights_of(&self, panel: usize, most: usize) -> &[u32] {
        let blocks = self.weights.bundles.outs.div_ceil(LANES);
        let (first, depth) = (self.bundle * blocks + panel * most, self.weights.depth());
        let width = most.min(blocks - panel * most);
        &self.weights.words()[first * depth * LANES..(first + width) * depth * LANES]
    }

    /// Computes a panel's outputs of the tile, and asks for the weights of the `next`.
    ///
    /// # Safety
    ///
    /// `input` must hold the windows of the tile's positions, with `taps` and `blocks` that are `block` words apart.
    #[inline(always)]
    unsafe fn panel<V: Vector<Element = f32>, D: Dot<Number = F>>(
        &self,
        panel: usize,
        next: Lines,
        (input, block, blocks): (*const u32, usize, usize),
        taps: &[u32],
    ) {
        let Weights { conv, bundles, wholes, .. } = self.weights;
        let out_blocks = bundles.outs.div_ceil(LANES);
        let first = self.bundle * out_blocks + panel * D::PANELS;
        let width = D::PANELS.min(out_blocks - panel * D::PANELS);
        let weights = self.weights_of(panel, D::PANELS);
        const { assert!(D::PANELS <= MOST_PANELS) };
        let mut start = [0; MOST_PANELS * LANES];
        for (start, whole) in start.iter_mut().zip(&wholes[first * LANES..(first + width) * LANES]) {
            *start = F::start(self.source.zero, *whole);
        }
        let most = F::most(bundles.ins * conv.kernel[0] * conv.kernel[1]);
        let applies = [self.outlet.apply::<V>(first, most), self.outlet.apply::<V>(first + width - 1, most)];
        let size = [self.tile.span[0].len(), self.tile.span[1].len()];
        let [runs, run] = self.tile.runs(size);
        let chunks = run.div_ceil(D::PIXELS);
        // Chunks of a run are as long as each other, or one pixel longer, the first of them.
        let (length, longer) = (run / chunks, run % chunks);
        let in_blocks = bundles.ins.div_ceil(LANES);
        let last = (bundles.ins - (in_blocks - 1) * LANES).div_ceil(D::PER_WORD);
        // Where padding is zeros, what reads nothing else is left out.
        let skips = self.source.zero == F::default() && conv.padding[0] > 0;
        let mut sums = [0; SUMS * LANES];
        // What comes next is asked for meanwhile, if it would still be in the second-level cache then.
        let mut ahead = if next.count() <= MOST_AHEAD { next } else { Lines::NONE };
        let per_call = ahead.share(runs * chunks);
        for number_of_run in 0..runs {
            let begin = self.tile.run(number_of_run, size) / D::PER_WORD;
            let (mut from, mut to) = (0, conv.kernel[0]);
            if skips {
                let row = self.tile.run_row(number_of_run, size);
                let offset = |tap: usize| (tap * conv.dilation[0]) as isize - conv.padding[0] as isize;
                let height = self.source.region.height;
                while from < to && !self.tile.is_inside(row, offset(from), height) {
                    from += 1;
                }
                while to > from && !self.tile.is_inside(row, offset(to - 1), height) {
                    to -= 1;
                }
            }
            let columns = taps.len() / conv.kernel[0];
            let mut depth = Depth {
                taps: &taps[from * columns..to * columns],
                left_out: [from * columns, (conv.kernel[0] - to) * columns],
                blocks,
                last,
                block,
                ahead: Lines::NONE,
            };
            let at = self.start_of(number_of_run);
            let mut pixel = 0;
            for chunk in 0..chunks {
                depth.ahead = ahead.take(per_call);
                let count = length + usize::from(chunk < longer);
                // SAFETY: the caller vouches for the input; weights, start and sums are as long as the sizes say.
                unsafe {
                    let from = input.add(begin + pixel * D::WORDS);
                    let size = (count, width);
                    product::<D>(size, from, &depth, weights.as_ptr(), start.as_ptr(), sums.as_mut_ptr());
                }
                for (number, apply) in applies[..width].iter().enumerate() {
                    let sums = sums[number * count * LANES..][..count * LANES].as_ptr();
                    // SAFETY: parts, bundles and shares divide the positions and blocks among the tasks.
                    unsafe { self.write::<V>(first + number, apply, (at, pixel), count, sums) };
                }
                pixel += count;
            }
        }
    }

    /// The image, row and column that a run starts at.
    #[inline(always)]
    fn start_of(&self, run: usize) -> [usize; 3] {
        let Tile { images, span, .. } = &self.tile;
        let (rows, columns) = (span[0].len(), span[1].len());
        match self.tile.is_along_images() {
            true => [images.start, span[0].start + run / columns, span[1].start + run % columns],
            false => [images.start + run / rows, span[0].start + run % rows, span[1].start],
        }
    }

    /// Hands `count` sums to the outlet, of a run that starts there from a position on.
    ///
    /// # Safety
    ///
    /// There must be as many sums and as many positions of the run left, and no two threads may write the same.
    #[inline(always)]
    unsafe fn write<V: Vector<Element = f32>>(
        &self,
        block: usize,
        apply: &Apply<V>,
        ([mut image, row, start], pixel): ([usize; 3], usize),
        mut count: usize,
        mut sums: *const u32,
    ) {
        if self.tile.is_along_images() {
            let at = [image + pixel, block, row, start];
            // SAFETY: as the caller says.
            return unsafe { self.outlet.write(apply, at, count, true, Sums::<F>(sums, PhantomData)) };
        }
        // A run is a row, or images of one row, one behind the other.
        let columns = self.tile.span[1].len();
        let mut column = pixel;
        if column >= columns {
            (image, column) = (image + column / columns, column % columns);
        }
        while count > 0 {
            let length = count.min(columns - column);
            // SAFETY: as the caller says.
            unsafe {
                let at = [image, block, row, start + column];
                self.outlet.write(apply, at, length, false, Sums::<F>(sums, PhantomData));
                sums = sums.add(length * LANES);
            }
            (image, column, count) = (image + 1, 0, count - length);
        }
    }
}

/// Sums one behind the other.
struct Sums<F>(*const u32, PhantomData<F>);

impl<F: Format, V: Vector<Element = f32>> Values<V> for Sums<F> {
    #[inline(always)]
    unsafe fn at(&self, i: usize) -> V {
        // SAFETY: as the caller says.
        unsafe { F::sums(self.0.add(i * LANES)) }
    }
}
