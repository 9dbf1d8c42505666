//! The computation behind both the forward pass and the gradient of the input.

use super::ahead::Ahead;
use super::few;
use super::micro::{self, Depth};
use super::spread::Spread;
use super::sweep::Axis;
use super::tile::Tile;
use super::tile::even;
use super::{Bundles, Conv, weights};
use crate::buffer::{Buffer, with_scratch};
use crate::element::Element;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::sink::{Open, Row, Sink, Tally};
use crate::threads::{for_each, threads};
use crate::view::View;
use std::ops::Range;
use std::sync::OnceLock;

/// Numbers a tile of the input may hold: what leaves room for weights, and for what the next tile will read, in a
/// second-level cache of 512 KiB.
const TILE: usize = 32 * 1024;
/// Numbers it may hold where less would leave few positions, each of which goes through all weights.
const LARGE_TILE: usize = 112 * 1024;
/// Positions that are not few.
const ENOUGH: usize = 64;
/// Positions a tile covers at most, which bounds the tile of results.
const POSITIONS: usize = 1024;

/// A convolution read in one direction.
pub(super) struct Correlation<'a> {
    /// Bundles in that direction.
    pub(super) bundles: Bundles,
    pub(super) axes: [Axis; 2],
    /// Whether outputs become inputs.
    pub(super) backward: bool,
    pub(super) conv: &'a Conv,
}

/// The taps of one pair of phases, with their weights.
struct Sweep<'a, T> {
    phase: [usize; 2],
    count: [usize; 2],
    taps: Vec<[isize; 2]>,
    weights: &'a [T],
    /// The weights of spread tiles, packed when there is one, from all weights and the taps' places in the kernel.
    spread: OnceLock<Buffer<T>>,
    source: (&'a [T], Vec<(usize, [isize; 2])>),
}

/// How the work is cut into tasks. It depends on shapes alone, but for `splits`, which changes no sum.
struct Cut {
    images: usize,
    span: [usize; 2],
    parts: [usize; 3],
    splits: usize,
}

impl Correlation<'_> {
    /// Whether it is a matrix product of pixels as they lie.
    fn is_flat(&self) -> bool {
        self.axes.iter().all(|axis| axis.stride == 1 && axis.step == 1 && axis.reach() == (0, 0))
            && self.conv.kernel == [1, 1]
    }

    /// Whether its tiles are packed closer.
    fn is_of_few(&self) -> bool {
        self.spread().is_none() && few::suits(self.bundles, &self.axes)
    }

    fn spread(&self) -> Option<Spread> {
        Spread::new(self)
    }

    pub(super) fn run<T: Element>(
        mut self,
        set: InstructionSet,
        input: &View<'_, T>,
        weights: &[T],
        output: Sink<'_, T>,
    ) {
        let flat = self.is_flat();
        let input = if flat { input.flat() } else { *input };
        if flat {
            let pixels = self.axes[0].count() * self.axes[1].count();
            for (axis, count) in self.axes.iter_mut().zip([1, pixels]) {
                axis.phases[0].count = count;
            }
        }
        let cut = self.cut(input.place.batch, flat);
        let parts = cut.parts.iter().product();
        let output = output.open(parts);
        let output = if flat { output.flat() } else { output };
        // Moments are taken of whole tiles, but each phase of a strided way back writes pixels of its own.
        assert!(!(output.wants_sums() && output.stores()) || self.axes.iter().all(|axis| axis.step == 1));
        let lengths = self.sweep_lengths();
        with_scratch(lengths.iter().sum(), |packed| {
            let sweeps = self.sweeps(weights, set, &lengths, packed);
            self.tasks(set, &cut, &input, &sweeps, &output);
        });
        let (batch, size) = (input.place.batch, [output.place.height, output.place.width]);
        // Moments are wanted of stored results only, which have one phase: positions are pixels.
        output.close(|part| {
            let length = |number: usize, step: usize, end: usize| ((number + 1) * step).min(end) - number * step;
            length(part / (cut.parts[1] * cut.parts[2]), cut.images, batch)
                * length(part / cut.parts[2] % cut.parts[1], cut.span[0], size[0])
                * length(part % cut.parts[2], cut.span[1], size[1])
        });
    }

    /// Runs every task.
    fn tasks<T: Element>(
        &self,
        set: InstructionSet,
        cut: &Cut,
        input: &View<'_, T>,
        sweeps: &[Sweep<'_, T>],
        output: &Open<'_, T>,
    ) {
        let parts: usize = cut.parts.iter().product();
        let (tasks, workers) = (parts * self.bundles.count * cut.splits, threads());
        for_each(tasks, |number| {
            let (task, split) = (number / cut.splits, (number % cut.splits, cut.splits));
            let (part, bundle) = (task / self.bundles.count, task % self.bundles.count);
            let tile = self.tile(cut, input.place.batch, part);
            // Threads take tasks in turns, so this is most likely the thread's next.
            let next = Some((number + workers) / cut.splits).filter(|next| *next > task && number + workers < tasks);
            let next = next
                .map(|next| (self.tile(cut, input.place.batch, next / self.bundles.count), next % self.bundles.count));
            // Closures do not take over the instructions they are called with, so the scratch memory comes first.
            let (spread, few) = (self.spread(), self.is_of_few());
            let held = if few { tile.row() } else { self.bundles.ins.div_ceil(LANES) * tile.block() };
            let length = if few { few::packed_len(tile.block()) } else { spread.map_or(0, |s| s.ins * tile.block()) };
            with_scratch(held + length + panels::<T>(set) * tile.positions() * LANES, |scratch| {
                let (held, scratch) = scratch.split_at_mut(held);
                let (lanes, results) = scratch.split_at_mut(length);
                let task =
                    Task { correlation: self, spread, sweeps, input: *input, output, tile, part, bundle, split, next };
                dispatch(set, Filled { task, held, lanes, results });
            });
        });
    }

    /// The tile of a part.
    fn tile(&self, cut: &Cut, batch: usize, part: usize) -> Tile {
        let [across, down] = [cut.parts[2], cut.parts[1]];
        let range = |number: usize, step: usize, end: usize| number * step..((number + 1) * step).min(end);
        let images = range(part / (across * down), cut.images, batch);
        let span = [
            range(part / across % down, cut.span[0], self.axes[0].count()),
            range(part % across, cut.span[1], self.axes[1].count()),
        ];
        Tile::new(&self.axes, images, span)
    }

    /// Numbers of the packed weights of each pair of phases.
    fn sweep_lengths(&self) -> Vec<usize> {
        let [down, right] = [0, 1].map(|i| &self.axes[i].phases);
        let taps = down.iter().flat_map(|down| right.iter().map(|right| down.taps.len() * right.taps.len()));
        if self.spread().is_some_and(|spread| spread.pays) {
            return taps.map(|_| 0).collect();
        }
        taps.map(|taps| self.bundles.count * weights::packed_len(self, taps)).collect()
    }

    fn sweeps<'p, T: Element>(
        &self,
        weights: &'p [T],
        set: InstructionSet,
        lengths: &[usize],
        mut packed: &'p mut [T],
    ) -> Vec<Sweep<'p, T>> {
        let panels = panels::<T>(set);
        let mut sweeps = Vec::new();
        for (y, down) in self.axes[0].phases.iter().enumerate() {
            for (x, right) in self.axes[1].phases.iter().enumerate() {
                let taps = weights::taps(self, [down, right]);
                let (own, rest) = packed.split_at_mut(lengths[sweeps.len()]);
                packed = rest;
                let mut spread = OnceLock::new();
                match self.spread().filter(|spread| spread.pays) {
                    Some(lanes) => spread = lanes.pack(self, weights, &taps).into(),
                    None => weights::pack(self, set, weights, &taps, panels, own),
                }
                let (count, source) = ([down.count, right.count], (weights, taps));
                let taps = source.1.iter().map(|tap| tap.1).collect();
                sweeps.push(Sweep { phase: [y, x], count, taps, weights: own, spread, source });
            }
        }
        sweeps
    }

    fn cut(&self, batch: usize, flat: bool) -> Cut {
        let counts = [self.axes[0].count(), self.axes[1].count()];
        let blocks = self.bundles.ins.div_ceil(LANES).max(1);
        let vectors = blocks + self.spread().filter(|spread| spread.pays).map_or(0, |spread| spread.ins);
        let size = |images: usize, span: [usize; 2]| {
            let block = Tile::new(&self.axes, 0..images, span.map(|length| 0..length)).block();
            if self.is_of_few() { few::packed_len(block) } else { block * vectors }
        };
        let fits = |images: usize, span: [usize; 2]| {
            let positions = images * span[0] * span[1];
            positions <= POSITIONS && size(images, span) <= if positions <= ENOUGH { LARGE_TILE } else { TILE }
        };
        let (rows, columns) = (counts[0].max(1), counts[1].max(1));
        // As many columns as fit, in whole rows if possible; then rows, then images.
        let most = (1..=columns).rev().find(|columns| fits(1, [1, *columns])).unwrap_or(1);
        let across = even(columns, most);
        let most = (1..=rows).rev().find(|rows| across == columns && fits(1, [*rows, across])).unwrap_or(1);
        let down = even(rows, most);
        let whole = across == columns && down == rows;
        // Enough parts for many threads must remain.
        let most = (1..=batch.div_ceil(16).max(1)).rev().find(|images| whole && fits(*images, [down, across]));
        let images = if flat || whole { most.unwrap_or(1) } else { 1 };
        let parts = [batch.div_ceil(images), counts[0].div_ceil(down), counts[1].div_ceil(across)];
        let tasks = parts.iter().product::<usize>().max(1) * self.bundles.count;
        let splits = (2 * threads()).div_ceil(tasks).clamp(1, self.bundles.outs.div_ceil(2 * LANES).max(1));
        Cut { images, span: [down, across], parts, splits: if tasks >= 2 * threads() { 1 } else { splits } }
    }
}

/// Blocks of output channels the micro-kernel of an instruction set takes.
pub(super) fn panels<T: Element>(set: InstructionSet) -> usize {
    struct Panels;
    impl<T: Element> Kernel<T> for Panels {
        type Output = usize;
        #[inline(always)]
        fn run<V: Vector<Element = T>>(self) -> usize {
            V::PANELS
        }
    }
    dispatch::<T, _>(set, Panels)
}

struct Task<'a, T> {
    correlation: &'a Correlation<'a>,
    spread: Option<Spread>,
    sweeps: &'a [Sweep<'a, T>],
    input: View<'a, T>,
    output: &'a Open<'a, T>,
    tile: Tile,
    part: usize,
    bundle: usize,
    /// Which of how many shares of the output's blocks.
    split: (usize, usize),
    /// The tile that most likely comes next, and its bundle.
    next: Option<(Tile, usize)>,
}

/// A task with its memory: the tile of the input, the same spread or packed closer, and the tile of the results.
struct Filled<'a, T> {
    task: Task<'a, T>,
    held: &'a mut [T],
    lanes: &'a mut [T],
    results: &'a mut [T],
}

impl<T: Element> Kernel<T> for Filled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { task, held, lanes, results } = self;
        let Bundles { ins, outs, .. } = task.correlation.bundles;
        let (in_blocks, out_blocks) = (ins.div_ceil(LANES), outs.div_ceil(LANES));
        let packed = task.correlation.is_of_few();
        if packed {
            task.tile.fill_few::<V>(&task.input, held, lanes);
        } else {
            task.tile.fill::<V>(&task.input, task.bundle * in_blocks..(task.bundle + 1) * in_blocks, held);
        }
        let spread = task.spread.filter(|spread| spread.wanted::<V>(held));
        let width = if spread.is_some() { 1 } else { V::PANELS };
        let steps = out_blocks.div_ceil(width);
        let (share, shares) = task.split;
        let mut ahead = task.ahead(in_blocks, steps / shares, V::PIXELS);
        for step in steps * share / shares..steps * (share + 1) / shares {
            let first = step * width;
            let panels = width.min(out_blocks - first);
            let mut tile = if packed { &*lanes } else { &*held };
            if let Some(spread) = spread {
                spread.fill::<V>(held, task.tile.block(), [first, outs], lanes);
                tile = &*lanes;
            }
            for sweep in task.sweeps {
                task.panel::<V>(sweep, (tile, spread), [first, panels], &mut ahead, results);
            }
        }
    }
}

impl<'a, T: Element> Task<'a, T> {
    /// What the next tile reads, for about as many calls of the micro-kernel as there will be.
    fn ahead(&self, in_blocks: usize, steps: usize, pixels: usize) -> Ahead<T> {
        let mut ahead = Ahead::nothing();
        if let Some((tile, bundle)) = &self.next {
            ahead.tile(&self.input, tile, bundle * in_blocks..(bundle + 1) * in_blocks);
        }
        let calls = self.tile.positions().div_ceil(pixels) * self.sweeps.len() * steps.max(1);
        ahead.over(calls)
    }

    /// All positions of the tile for `panels` blocks of output channels.
    #[inline(always)]
    fn panel<V: Vector<Element = T>>(
        &self,
        sweep: &Sweep<'_, T>,
        (tile, spread): (&[T], Option<Spread>),
        [first, panels]: [usize; 2],
        ahead: &mut Ahead<T>,
        results: &mut [T],
    ) {
        let Correlation { bundles, axes, .. } = self.correlation;
        let clip = |axis: usize| {
            let span: &Range<usize> = &self.tile.span[axis];
            span.start.min(sweep.count[axis])..span.end.min(sweep.count[axis])
        };
        let (rows, columns) = (clip(0), clip(1));
        let images = self.tile.images.len();
        let positions = images * rows.len() * columns.len();
        if positions == 0 {
            return;
        }
        // Where the tile is spread or packed closer, all its distances are.
        let few = self.correlation.is_of_few();
        let step = if few { few::STEP } else { spread.map_or(LANES, |spread| spread.ins * LANES) };
        let channels = spread.map_or(bundles.ins, |spread| spread.ins);
        let vectors = channels * sweep.taps.len();
        // With few channels each is a tap of its own.
        let per_tap = if few { channels } else { 1 };
        let taps = sweep.taps.iter().map(|offset| self.tile.tap(*offset) / LANES * step);
        let taps: Vec<usize> = taps.flat_map(|tap| (0..per_tap).map(move |channel| tap + channel)).collect();
        let weights = spread.map_or(sweep.weights, |spread| {
            sweep.spread.get_or_init(|| spread.pack(self.correlation, sweep.source.0, &sweep.source.1))
        });
        let per_bundle = weights.len() / bundles.count.max(1);
        let weights = &weights[self.bundle * per_bundle + first * LANES * vectors..][..panels * LANES * vectors];
        let size = [rows.len(), columns.len()];
        let [runs, run] = self.tile.runs(size);
        let chunks = run.div_ceil(if spread.is_some() { Spread::pixels::<V>() } else { V::PIXELS });
        for number in 0..runs {
            let start = self.tile.run(number, size);
            // Rows of the kernel that lie on the border, above or below, are left out: theirs are the first or last taps.
            let row = self.tile.run_row(number, size);
            let height = self.input.place.height;
            let inside = |tap: &[isize; 2]| self.tile.is_inside(row, tap[0], height);
            let first = sweep.taps.iter().position(inside).unwrap_or(sweep.taps.len()) * per_tap;
            let end = sweep.taps.iter().rposition(inside).map_or(first, |last| (last + 1) * per_tap);
            let left_out = [first, taps.len() - end];
            let channels = if few { 1 } else { channels };
            let (taps, block) = (&taps[first..end], self.tile.block());
            for chunk in 0..chunks {
                // As even as can be: a chunk of one pixel would take nearly the time of a whole one.
                let (pixel, end) = (run * chunk / chunks, run * (chunk + 1) / chunks);
                let pixels = end - pixel;
                let depth = Depth { taps, left_out, channels, block, ahead: ahead.next() };
                let at = (number * run + pixel) * LANES;
                // SAFETY: the tile holds the windows of all its positions, `weights` the panel, and `results` the
                // positions of each of its panels; sizes are within what V says.
                unsafe {
                    let from = tile.as_ptr().add((start / LANES + pixel) * step);
                    let (weights, to) = (weights.as_ptr(), results.as_mut_ptr().add(at));
                    let (size, apart) = ((pixels, panels), positions * LANES);
                    match spread {
                        Some(_) => Spread::product::<V>(pixels, from, &depth, weights, to),
                        None if few => micro::product::<V, { few::STEP }>(size, from, &depth, weights, to, apart),
                        None => micro::product::<V, LANES>(size, from, &depth, weights, to, apart),
                    }
                }
            }
        }
        for (panel, results) in results.chunks_exact_mut(positions * LANES).take(panels).enumerate() {
            let block = self.bundle * bundles.outs / LANES + first + panel;
            let mut tally = Tally::<V>::new();
            for image in 0..images {
                for row in 0..rows.len() {
                    let [position, apart] = self.tile.position(image, row, size);
                    let mut at = Row {
                        image: self.tile.images.start + image,
                        block,
                        row: sweep.phase[0] + (rows.start + row) * axes[0].step,
                        column: sweep.phase[1] + columns.start * axes[1].step,
                        step: axes[1].step,
                    };
                    // One row at once, or column by column where other images lie between.
                    let length = if apart == 1 { columns.len() } else { 1 };
                    for column in 0..columns.len() / length {
                        let results = &mut results[(position + column * apart) * LANES..][..length * LANES];
                        // SAFETY: parts, bundles and shares divide the positions and blocks among the tasks.
                        unsafe { self.output.write(at, results, &mut tally) };
                        at.column += at.step;
                    }
                }
            }
            if self.output.wants_sums() {
                if self.output.stores() {
                    tally = self.output.moments_of(results);
                }
                // SAFETY: part and block are this task's.
                unsafe { self.output.leave(self.part, block, tally) };
            }
        }
    }
}
