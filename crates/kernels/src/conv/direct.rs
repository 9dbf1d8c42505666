//! A correlation as it is defined: the forward pass and the gradient of the input.

use super::by_lanes::ByLanes;
use super::choice::packs_pixels;
use super::correlation::Correlation;
use super::few;
use super::micro::{self, Depth, panels};
use super::pairs;
use super::shape::Bundles;
use super::tile::{Tile, largest};
use super::tile_prefetch::TilePrefetch;
use super::weights;
use crate::buffer::Buffer;
use crate::element::Element;
use crate::scratch::with_scratch;
use crate::simd::{Arithmetic, InstructionSet, LANES, Multiply, ProductKernel, Vector};
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

/// The taps of one pair of phases, with their weights.
struct Sweep<'a, T> {
    phase: [usize; 2],
    count: [usize; 2],
    taps: Vec<[isize; 2]>,
    weights: &'a [T],
    /// The weights of expanded tiles, packed when there is one, from all weights and the taps' places in the kernel.
    by_lanes: OnceLock<Buffer<T>>,
    source: (&'a [T], Vec<(usize, [isize; 2])>),
}

/// How the work is cut into tasks. It depends on shapes alone, but for `splits`, which changes no sum.
struct Cut {
    images: usize,
    span: [usize; 2],
    parts: [usize; 3],
    splits: usize,
}

/// Computes a correlation.
pub(super) fn run<A: Arithmetic>(
    mut correlation: Correlation<'_>,
    set: InstructionSet,
    input: &View<'_, A::Number>,
    weights: &[A::Number],
    output: Sink<'_, A::Number>,
) {
    let flat = correlation.conv.is_matrix_product();
    let input = if flat { input.flat() } else { *input };
    if flat {
        let pixels = correlation.axes[0].count() * correlation.axes[1].count();
        for (axis, count) in correlation.axes.iter_mut().zip([1, pixels]) {
            axis.phases[0].count = count;
        }
    }
    let [outputs, columns] = [correlation.bundles.outs, correlation.axes[1].count()];
    let pairs = pairs::takes_pairs::<A>(set, correlation.conv, outputs, columns);
    let direct = Direct {
        lanes: ByLanes::new(&correlation),
        few: !pairs && packs_pixels(&correlation),
        pairs,
        correlation: &correlation,
        batch: input.region.batch,
        panels: panels::<A>(set),
    };
    assert!(A::DEPTH == 1 || direct.lanes.is_none(), "groups that share a block are multiplied as they are");
    let cut = direct.cut();
    let output = output.open(cut.parts.iter().product());
    let output = if flat { output.flat() } else { output };
    // Moments are taken of whole tiles, but each phase of a strided way back writes pixels of its own.
    assert!(!(output.wants_sums() && output.stores()) || correlation.axes.iter().all(|axis| axis.step == 1));
    let lengths = direct.sweep_lengths::<A>();
    with_scratch(lengths.iter().sum(), |packed| {
        let sweeps = direct.sweeps::<A>(set, weights, &lengths, packed);
        direct.tasks::<A>(set, &cut, &input, &sweeps, &output);
    });
    let (batch, size) = (input.region.batch, [output.region.height, output.region.width]);
    // Moments are wanted of stored results only, which have one phase: positions are pixels.
    output.close(|part| cut.pixels(part, batch, size));
}

/// How a correlation is computed.
struct Direct<'a> {
    correlation: &'a Correlation<'a>,
    /// Where several groups share a block.
    lanes: Option<ByLanes>,
    /// Whether the pixels of its tiles are packed closer.
    few: bool,
    /// Whether its tiles are laid out by channels, for two pixels to share a vector.
    pairs: bool,
    batch: usize,
    /// Blocks of outputs of a panel.
    panels: usize,
}

impl Cut {
    /// Pixels of a part of maps of this size.
    fn pixels(&self, part: usize, batch: usize, size: [usize; 2]) -> usize {
        let length = |number: usize, step: usize, end: usize| ((number + 1) * step).min(end) - number * step;
        length(part / (self.parts[1] * self.parts[2]), self.images, batch)
            * length(part / self.parts[2] % self.parts[1], self.span[0], size[0])
            * length(part % self.parts[2], self.span[1], size[1])
    }
}

impl Direct<'_> {
    /// Runs every task.
    fn tasks<A: Arithmetic>(
        &self,
        set: InstructionSet,
        cut: &Cut,
        input: &View<'_, A::Number>,
        sweeps: &[Sweep<'_, A::Number>],
        output: &Open<'_, A::Number>,
    ) {
        let parts: usize = cut.parts.iter().product();
        let bundles = self.correlation.bundles.count;
        let tasks = parts * bundles;
        // Those of a share of the outputs are one behind the other: a thread takes those of the same weights.
        for_each(tasks * cut.splits, |number| {
            let (split, task) = ((number / tasks, cut.splits), number % tasks);
            let (part, bundle) = (task / bundles, task % bundles);
            let tile = self.tile(cut, part);
            // Most likely the thread's next.
            let next = Some(task + 1).filter(|next| *next < tasks);
            let next = next.map(|next| (self.tile(cut, next / bundles), next % bundles));
            let blocks = self.correlation.bundles.ins.div_ceil(LANES);
            let held = if self.few || self.pairs { tile.row() } else { blocks * tile.block() / A::DEPTH };
            let length = if self.few {
                few::packed_len(tile.block()).div_ceil(A::DEPTH)
            } else if self.pairs {
                pairs::planes_len(&tile, self.correlation.bundles.ins)
            } else {
                self.lanes.map_or(0, |lanes| lanes.ins * tile.block())
            };
            with_scratch(held + length + self.panels * tile.positions() * LANES, |scratch| {
                let (held, scratch) = scratch.split_at_mut(held);
                let (dense, results) = scratch.split_at_mut(length);
                let task = Task { direct: self, sweeps, input: *input, output, tile, part, bundle, split, next };
                A::dispatch(set, Filled { task, held, dense, results });
            });
        });
    }

    /// The tile of a part.
    fn tile(&self, cut: &Cut, part: usize) -> Tile {
        let [across, down] = [cut.parts[2], cut.parts[1]];
        let range = |number: usize, step: usize, end: usize| number * step..((number + 1) * step).min(end);
        let images = range(part / (across * down), cut.images, self.batch);
        let span = [
            range(part / across % down, cut.span[0], self.correlation.axes[0].count()),
            range(part % across, cut.span[1], self.correlation.axes[1].count()),
        ];
        Tile::new(&self.correlation.axes, images, span)
    }

    /// Numbers of the packed weights of each pair of phases.
    fn sweep_lengths<A: Arithmetic>(&self) -> Vec<usize> {
        let [down, right] = [0, 1].map(|i| &self.correlation.axes[i].phases);
        let taps = down.iter().flat_map(|down| right.iter().map(|right| down.taps.len() * right.taps.len()));
        if self.lanes.is_some_and(|lanes| lanes.pays) {
            return taps.map(|_| 0).collect();
        }
        taps.map(|taps| self.correlation.bundles.count * weights::packed_len::<A>(self.correlation, taps)).collect()
    }

    fn sweeps<'p, A: Arithmetic>(
        &self,
        set: InstructionSet,
        weights: &'p [A::Number],
        lengths: &[usize],
        mut packed: &'p mut [A::Number],
    ) -> Vec<Sweep<'p, A::Number>> {
        let mut sweeps = Vec::new();
        for (y, down) in self.correlation.axes[0].phases.iter().enumerate() {
            for (x, right) in self.correlation.axes[1].phases.iter().enumerate() {
                let taps = weights::taps(self.correlation, [down, right]);
                let (own, rest) = packed.split_at_mut(lengths[sweeps.len()]);
                packed = rest;
                let mut by_lanes = OnceLock::new();
                match self.lanes.filter(|lanes| lanes.pays) {
                    Some(lanes) => by_lanes = lanes.pack(self.correlation, weights, &taps).into(),
                    None => weights::pack::<A>(self.correlation, set, weights, &taps, self.panels, own),
                }
                if self.pairs {
                    pairs::double(own);
                }
                let (count, source) = ([down.count, right.count], (weights, taps));
                let taps = source.1.iter().map(|tap| tap.1).collect();
                sweeps.push(Sweep { phase: [y, x], count, taps, weights: own, by_lanes, source });
            }
        }
        sweeps
    }

    fn cut(&self) -> Cut {
        let Correlation { bundles, axes, .. } = self.correlation;
        let (batch, counts) = (self.batch, [axes[0].count(), axes[1].count()]);
        let blocks = bundles.ins.div_ceil(LANES).max(1);
        let vectors = blocks + self.lanes.filter(|lanes| lanes.pays).map_or(0, |lanes| lanes.ins);
        let size = |images: usize, span: [usize; 2]| {
            let block = Tile::new(axes, 0..images, span.map(|length| 0..length)).block();
            // Whether pixels share vectors depends on the instruction set, and parts must not.
            if packs_pixels(self.correlation) { few::packed_len(block) } else { block * vectors }
        };
        let fits = |images: usize, span: [usize; 2]| {
            let positions = images * span[0] * span[1];
            positions <= POSITIONS && size(images, span) <= if positions <= ENOUGH { LARGE_TILE } else { TILE }
        };
        // Enough parts for many threads must remain.
        let (images, span) = largest(counts, batch.div_ceil(16).max(1), fits);
        let parts = [batch.div_ceil(images), counts[0].div_ceil(span[0]), counts[1].div_ceil(span[1])];
        let tasks = parts.iter().product::<usize>().max(1) * bundles.count;
        let splits = (2 * threads()).div_ceil(tasks).clamp(1, bundles.outs.div_ceil(2 * LANES).max(1));
        Cut { images, span, parts, splits: if tasks >= 2 * threads() { 1 } else { splits } }
    }
}

/// One task of [`Direct::tasks`]: all outputs, or a share of them, of a tile of one bundle.
struct Task<'a, T> {
    direct: &'a Direct<'a>,
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

/// A task with its memory: the tile of the input, the same expanded or packed closer, and the tile of the results.
struct Filled<'a, T> {
    task: Task<'a, T>,
    held: &'a mut [T],
    dense: &'a mut [T],
    results: &'a mut [T],
}

/// What the micro-kernel reads: a tile as it is filled, packed closer, or expanded by lanes.
#[derive(Clone, Copy)]
struct Source<'a, T> {
    tile: &'a [T],
    lanes: Option<ByLanes>,
}

impl<T: Element> ProductKernel<T> for Filled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let Self { task, held, dense, results } = self;
        let Direct { correlation, few, pairs, .. } = *task.direct;
        let Bundles { ins, outs, .. } = correlation.bundles;
        let (in_blocks, out_blocks) = (ins.div_ceil(LANES), outs.div_ceil(LANES));
        if few {
            task.tile.fill_few::<M>(&task.input, held, dense);
        } else if pairs {
            task.tile.fill_planes::<M::Vector>(&task.input, (0, ins), held, dense);
        } else {
            task.tile.fill::<M>(&task.input, task.bundle * in_blocks..(task.bundle + 1) * in_blocks, held);
        }
        let lanes = task.direct.lanes.filter(|lanes| lanes.wanted::<M::Vector>(held));
        let width = if lanes.is_some() { 1 } else { M::Vector::PANELS };
        let steps = out_blocks.div_ceil(width);
        let (share, shares) = task.split;
        let mut ahead = task.ahead(in_blocks, steps / shares, M::Vector::PIXELS);
        for step in steps * share / shares..steps * (share + 1) / shares {
            let first = step * width;
            let panels = width.min(out_blocks - first);
            let mut tile = if few || pairs { &*dense } else { &*held };
            if let Some(lanes) = lanes {
                lanes.fill::<M::Vector>(held, task.tile.block(), [first, outs], dense);
                tile = &*dense;
            }
            for sweep in task.sweeps {
                let span = task.span(sweep);
                if span.iter().any(Range::is_empty) || task.tile.images.is_empty() {
                    continue;
                }
                let size = [span[0].len(), span[1].len()];
                task.multiply::<M>(sweep, Source { tile, lanes }, [first, panels], size, &mut ahead, results);
                task.write::<M::Vector>(sweep, &span, [first, panels], results);
            }
        }
    }
}

impl<'a, T: Element> Task<'a, T> {
    /// What the next tile reads, for about as many calls of the micro-kernel as there will be.
    fn ahead(&self, in_blocks: usize, steps: usize, pixels: usize) -> TilePrefetch<T> {
        let mut ahead = TilePrefetch::nothing();
        if let Some((tile, bundle)) = &self.next {
            ahead.tile(&self.input, tile, bundle * in_blocks..(bundle + 1) * in_blocks);
        }
        let calls = self.tile.positions().div_ceil(pixels) * self.sweeps.len() * steps.max(1);
        ahead.over(calls)
    }

    /// The rows and columns of the tile that a pair of phases has.
    fn span(&self, sweep: &Sweep<'_, T>) -> [Range<usize>; 2] {
        [0, 1].map(|axis| {
            let span = &self.tile.span[axis];
            span.start.min(sweep.count[axis])..span.end.min(sweep.count[axis])
        })
    }

    /// Computes `size` positions of the tile for `panels` blocks of output channels: `[panel][position][16]`.
    #[inline(always)]
    fn multiply<M: Multiply<Number = T>>(
        &self,
        sweep: &Sweep<'_, T>,
        Source { tile, lanes }: Source<'_, T>,
        [first, panels]: [usize; 2],
        size: [usize; 2],
        ahead: &mut TilePrefetch<T>,
        results: &mut [T],
    ) {
        let Direct { correlation, few, pairs, .. } = *self.direct;
        let bundles = correlation.bundles;
        let positions = self.tile.images.len() * size[0] * size[1];
        // Where the tile is expanded or packed closer, all its distances are.
        let step = match (few, pairs) {
            (true, _) => few::STEP / M::DEPTH,
            (_, true) => 1,
            _ => lanes.map_or(LANES, |lanes| lanes.ins * LANES) / M::DEPTH,
        };
        let channels = lanes.map_or(bundles.ins, |lanes| lanes.ins);
        let factors = channels.div_ceil(M::DEPTH);
        let vectors = factors * sweep.taps.len();
        // With few channels each factor is a tap of its own.
        let per_tap = if few { factors } else { 1 };
        let taps = sweep.taps.iter().map(|offset| self.tile.tap(*offset) / LANES * step);
        let taps: Vec<usize> = taps.flat_map(|tap| (0..per_tap).map(move |factor| tap + factor)).collect();
        let weights = lanes.map_or(sweep.weights, |lanes| {
            sweep.by_lanes.get_or_init(|| lanes.pack(correlation, sweep.source.0, &sweep.source.1))
        });
        let per_bundle = weights.len() / bundles.count.max(1);
        let weights = &weights[self.bundle * per_bundle + first * LANES * vectors..][..panels * LANES * vectors];
        let [runs, run] = self.tile.runs(size);
        let chunks = run.div_ceil(match (lanes, pairs) {
            (Some(_), _) => ByLanes::pixels::<M::Vector>(),
            (None, true) => pairs::most_pixels::<M::Vector>(),
            (None, false) => M::Vector::PIXELS,
        });
        for number in 0..runs {
            let start = self.tile.run(number, size);
            // Rows of the kernel that lie on the border, above or below, are left out: theirs are the first or last taps.
            let row = self.tile.run_row(number, size);
            let height = self.input.region.height;
            let inside = |tap: &[isize; 2]| self.tile.is_inside(row, tap[0], height);
            let first = sweep.taps.iter().position(inside).unwrap_or(sweep.taps.len()) * per_tap;
            let end = sweep.taps.iter().rposition(inside).map_or(first, |last| (last + 1) * per_tap);
            let left_out = [first, taps.len() - end];
            let channels = if few { 1 } else { channels };
            let taps = &taps[first..end];
            let block = if pairs { pairs::plane(&self.tile) } else { self.tile.block() / M::DEPTH };
            for chunk in 0..chunks {
                // As even as can be: a chunk of one pixel would take nearly the time of a whole one.
                let (pixel, end) = (run * chunk / chunks, run * (chunk + 1) / chunks);
                let pixels = end - pixel;
                let depth = Depth { taps, left_out, channels, block, ahead: ahead.next() };
                let at = (number * run + pixel) * LANES;
                // SAFETY: the tile holds the windows of all its positions, `weights` the panel, and `results` the
                // positions of each of its panels; sizes are within what the vectors say.
                unsafe {
                    let from = tile.as_ptr().add((start / LANES + pixel) * step);
                    let (weights, to) = (weights.as_ptr(), results.as_mut_ptr().add(at));
                    let (size, apart) = ((pixels, panels), positions * LANES);
                    match lanes {
                        Some(_) => ByLanes::product::<M::Vector>(pixels, from, &depth, weights, to),
                        None if pairs => pairs::product::<M::Vector>(pixels, from, &depth, weights, to),
                        None if few => micro::product::<M, true>(size, from, &depth, weights, to, apart),
                        None => micro::product::<M, false>(size, from, &depth, weights, to, apart),
                    }
                }
            }
        }
    }

    /// Hands the results of some panels to the sink.
    #[inline(always)]
    fn write<V: Vector<Element = T>>(
        &self,
        sweep: &Sweep<'_, T>,
        [rows, columns]: &[Range<usize>; 2],
        [first, panels]: [usize; 2],
        results: &mut [T],
    ) {
        let Correlation { bundles, axes, .. } = self.direct.correlation;
        let (images, size) = (self.tile.images.len(), [rows.len(), columns.len()]);
        let positions = images * size[0] * size[1];
        for (panel, results) in results.chunks_exact_mut(positions * LANES).take(panels).enumerate() {
            let block = self.bundle * bundles.outs / LANES + first + panel;
            let mut tally = Tally::<V>::new();
            for image in 0..images {
                for row in 0..size[0] {
                    let [position, apart] = self.tile.position(image, row, size);
                    let mut at = Row {
                        image: self.tile.images.start + image,
                        block,
                        row: sweep.phase[0] + (rows.start + row) * axes[0].step,
                        column: sweep.phase[1] + columns.start * axes[1].step,
                        step: axes[1].step,
                    };
                    // One row at once, or column by column where other images lie between.
                    let length = if apart == 1 { size[1] } else { 1 };
                    for column in 0..size[1] / length {
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
