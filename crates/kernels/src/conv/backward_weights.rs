//! The gradient of the weights: for each tap the product, over all pixels, of input and gradient.
//!
//! A task owns some channels of both sides and some of the images, and goes through the images tile by tile. Slices of
//! the images, cut by the shapes alone, are added up in their order at the end.

use super::correlate::panels;
use super::micro::{self, Place, Runs};
use super::sweep::Axis;
use super::tile::Tile;
use super::tile::even;
use super::{Algorithm, Bundles, Conv};
use crate::buffer::{Shared, with_scratch};
use crate::element::Element;
use crate::simd::{InstructionSet, Kernel, LANES, Vector, dispatch};
use crate::threads::for_each;
use crate::view::View;
use std::ops::Range;

/// Blocks of channels of either side a task takes.
const BLOCKS: [usize; 2] = [4, 8];
/// Numbers a tile of the input may hold.
const TILE: usize = 48 * 1024;
/// Positions of a tile.
const POSITIONS: usize = 1024;
/// Pixels of a piece: what lets a block of the input and a panel of the gradient stay in a first-level cache of 32 KiB.
const PIECE: usize = 112;
/// Tasks there should be, for any number of threads.
const TASKS: usize = 16;

impl Conv {
    /// Writes the gradient of the weights, `(out, in / groups, height, width)`.
    ///
    /// # Panics
    ///
    /// Where places or slices do not fit the convolution.
    pub fn backward_weights<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        weights: &mut [T],
    ) {
        self.backward_weights_by(Algorithm::Auto, set, input, gradient, weights);
    }

    /// [`Conv::backward_weights`] by a given algorithm.
    ///
    /// # Panics
    ///
    /// Where places or slices do not fit the convolution, or the algorithm does not.
    pub fn backward_weights_by<T: Element>(
        &self,
        algorithm: Algorithm,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        weights: &mut [T],
    ) {
        self.check(input.place.channels, gradient.place.channels, weights.len());
        let axes = [0, 1].map(|i| Axis::forward(self, i, input.size()[i], gradient.size()[i]));
        if self.weights_by_winograd::<T>(algorithm, &axes, gradient.place.batch) {
            return self.winograd_weights(set, input, gradient, weights);
        }
        let flat = self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0];
        let [input, gradient] = [input, gradient].map(|view| if flat { view.flat() } else { *view });
        let axes = [0, 1].map(|i| Axis::forward(self, i, input.size()[i], gradient.size()[i]));
        let sum = WeightSum::new(self, axes, gradient.place.batch, panels::<T>(set));
        with_scratch(sum.slices * sum.slice_len(), |partial| {
            sum.tiles(set, &input, &gradient, Shared::new(partial));
            sum.unpack(partial, weights);
        });
    }
}

/// The shape of the computation.
struct WeightSum<'a> {
    conv: &'a Conv,
    bundles: Bundles,
    axes: [Axis; 2],
    /// Each tap's position in the kernel, and its offsets.
    taps: Vec<(usize, [isize; 2])>,
    panels: usize,
    /// Blocks of input and output channels per task.
    blocks: [usize; 2],
    batch: usize,
    slices: usize,
    images: usize,
    span: [usize; 2],
}

impl<'a> WeightSum<'a> {
    fn new(conv: &'a Conv, axes: [Axis; 2], batch: usize, panels: usize) -> Self {
        let bundles = conv.bundles();
        let [down, right] = [0, 1].map(|i| axes[i].phases[0].taps.clone());
        let taps = down
            .iter()
            .flat_map(|row| right.iter().map(move |column| (row.0 * conv.kernel[1] + column.0, [row.1, column.1])));
        let taps: Vec<_> = taps.collect();
        let all = [bundles.ins.div_ceil(LANES), bundles.outs.div_ceil(LANES)];
        let blocks = [0, 1].map(|i| BLOCKS[i].min(all[i]).max(1));
        let counts = [axes[0].count(), axes[1].count()];
        let fits = |images: usize, span: [usize; 2]| {
            let tile = Tile::new(&axes, 0..images, span.map(|length| 0..length));
            images * span[0] * span[1] <= POSITIONS && tile.block() * blocks[0] <= TILE
        };
        let (rows, columns) = (counts[0].max(1), counts[1].max(1));
        let across = even(columns, (1..=columns).rev().find(|columns| fits(1, [1, *columns])).unwrap_or(1));
        let whole_rows = across == columns;
        let down = even(rows, (1..=rows).rev().find(|rows| whole_rows && fits(1, [*rows, across])).unwrap_or(1));
        let whole = whole_rows && down == rows;
        let per_slice = all[0].div_ceil(blocks[0]) * all[1].div_ceil(blocks[1]) * bundles.count;
        let slices = TASKS.div_ceil(per_slice).min(batch).max(1);
        let most = batch.div_ceil(slices).max(1);
        let images = if whole { (1..=most).rev().find(|images| fits(*images, [down, across])).unwrap_or(1) } else { 1 };
        Self { conv, bundles, axes, taps, panels, blocks, batch, slices, images, span: [down, across] }
    }

    /// Runs every task.
    fn tiles<T: Element>(
        &self,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        shared: Shared<'_, T>,
    ) {
        for_each(self.slices * self.tasks(), |task| {
            let (slice, task) = (task / self.tasks(), task % self.tasks());
            // Closures do not take over the instructions they are called with, so the scratch memory comes first.
            with_scratch(self.held() + self.blocks[1] * self.positions() * LANES, |scratch| {
                let (inputs, gradients) = scratch.split_at_mut(self.held());
                let task = Task { sum: self, input: *input, gradient: *gradient, slice, task, shared };
                dispatch(set, Filled { task, inputs, gradients });
            });
        });
    }

    /// Positions of the largest tile.
    fn positions(&self) -> usize {
        self.images * self.span[0] * self.span[1]
    }

    /// Numbers of the largest tile of the input.
    fn held(&self) -> usize {
        Tile::new(&self.axes, 0..self.images, self.span.map(|length| 0..length)).block() * self.blocks[0]
    }

    /// The rows of the micro-kernel's product: the channels of each tap, for a full block and for the last one.
    fn places(&self, tile: &Tile) -> [Vec<Place>; 2] {
        let last = self.bundles.ins - (self.all_blocks()[0] - 1) * LANES;
        [LANES, last].map(|channels| {
            let mut places = Vec::with_capacity(self.taps.len() * channels);
            for (number, (_, offset)) in self.taps.iter().enumerate() {
                let tap = tile.tap(*offset);
                places.extend((0..channels).map(|lane| Place { input: tap + lane, sums: number * LANES + lane }));
            }
            places
        })
    }

    fn all_blocks(&self) -> [usize; 2] {
        [self.bundles.ins.div_ceil(LANES), self.bundles.outs.div_ceil(LANES)]
    }

    /// Tasks of a slice.
    fn tasks(&self) -> usize {
        let all = self.all_blocks();
        self.bundles.count * all[0].div_ceil(self.blocks[0]) * all[1].div_ceil(self.blocks[1])
    }

    /// Numbers of a panel of output blocks: `[block of inputs][tap][input][output]`.
    fn panel_len(&self, panels: usize) -> usize {
        self.all_blocks()[0] * self.taps.len() * LANES * panels * LANES
    }

    fn bundle_len(&self) -> usize {
        self.panel_len(self.all_blocks()[1])
    }

    fn slice_len(&self) -> usize {
        self.bundles.count * self.bundle_len()
    }

    /// Adds the slices up, in the order and place of the weights.
    fn unpack<T: Element>(&self, partial: &[T], weights: &mut [T]) {
        let (taps, [in_blocks, out_blocks]) = (self.taps.len(), self.all_blocks());
        let all = self.conv.kernel[0] * self.conv.kernel[1];
        let (shared, slice_len) = (Shared::new(weights), self.slice_len());
        let panels = out_blocks.div_ceil(self.panels);
        for_each(self.bundles.count * panels * in_blocks, |task| {
            let (bundle, panel, block) = (task / in_blocks / panels, task / in_blocks % panels, task % in_blocks);
            let first = panel * self.panels;
            let width = self.panels.min(out_blocks - first) * LANES;
            let start = bundle * self.bundle_len() + self.panel_len(first) + block * taps * LANES * width;
            let length = taps * LANES * width;
            let mut sums = partial[start..start + length].to_vec();
            for slice in 1..self.slices {
                let slice = &partial[slice * slice_len + start..][..length];
                sums.iter_mut().zip(slice).for_each(|(sum, part)| *sum += *part);
            }
            let inputs = LANES.min(self.bundles.ins - block * LANES);
            for lane in 0..width.min(self.bundles.outs - first * LANES) {
                let output = bundle * self.bundles.outs + first * LANES + lane;
                // Inputs of an output lie one behind the other, but only those of its group.
                let channels = bundle * self.bundles.ins + block * LANES;
                let seen = self.conv.inputs_of(output);
                let (from, until) = (seen.start.max(channels), seen.end.min(channels + inputs));
                let Some(at) = self.conv.weight_index(output, from, 0).filter(|_| from < until) else { continue };
                // SAFETY: each task has the weights between its own channels.
                let weights = unsafe { shared.part(at..at + (until - from) * all) };
                if taps < all {
                    weights.fill(T::ZERO);
                }
                for (input, weights) in weights.chunks_exact_mut(all).enumerate().filter(|_| taps > 0) {
                    let sums = &sums[(from - channels + input) * width + lane..];
                    for (tap, (place, _)) in self.taps.iter().enumerate() {
                        weights[*place] = sums[tap * LANES * width];
                    }
                }
            }
        });
    }
}

struct Task<'a, T> {
    sum: &'a WeightSum<'a>,
    input: View<'a, T>,
    gradient: View<'a, T>,
    slice: usize,
    task: usize,
    shared: Shared<'a, T>,
}

/// A task with its memory: the tiles of the input and of the gradient.
struct Filled<'a, T> {
    task: Task<'a, T>,
    inputs: &'a mut [T],
    gradients: &'a mut [T],
}

impl<T: Element> Kernel<T> for Filled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { task, inputs, gradients } = self;
        let sum = task.sum;
        let all = sum.all_blocks();
        let chunks = [0, 1].map(|i| all[i].div_ceil(sum.blocks[i]));
        let (bundle, chunk) = (task.task / (chunks[0] * chunks[1]), task.task % (chunks[0] * chunks[1]));
        let range = |number: usize, i: usize| number * sum.blocks[i]..((number + 1) * sum.blocks[i]).min(all[i]);
        let blocks = [range(chunk / chunks[1], 0), range(chunk % chunks[1], 1)];
        let counts = [sum.axes[0].count(), sum.axes[1].count()];
        task.clear(bundle, &blocks);
        let cut = |slice: usize| sum.batch * slice / sum.slices;
        let (mut image, end) = (cut(task.slice), cut(task.slice + 1));
        while image < end {
            let images = image..(image + sum.images).min(end);
            for row in (0..counts[0]).step_by(sum.span[0]) {
                for column in (0..counts[1]).step_by(sum.span[1]) {
                    let span = [row..(row + sum.span[0]).min(counts[0]), column..(column + sum.span[1]).min(counts[1])];
                    let tile = Tile::new(&sum.axes, images.clone(), span);
                    task.tile::<V>(bundle, &blocks, tile, inputs, gradients);
                }
            }
            image = images.end;
        }
    }
}

impl<T: Element> Task<'_, T> {
    #[inline(always)]
    fn tile<V: Vector<Element = T>>(
        &self,
        bundle: usize,
        blocks: &[Range<usize>; 2],
        tile: Tile,
        inputs: &mut [T],
        gradients: &mut [T],
    ) {
        let sum = self.sum;
        let all = sum.all_blocks();
        let [rows, columns] = [tile.span[0].len(), tile.span[1].len()];
        let positions = tile.images.len() * rows * columns;
        let first = bundle * all[0];
        let inputs = &mut inputs[..sum.blocks[0] * tile.block()];
        tile.fill::<V>(&self.input, first + blocks[0].start..first + blocks[0].end, inputs);
        let first = bundle * all[1];
        let size = [rows, columns];
        for (block, to) in blocks[1].clone().zip(gradients.chunks_exact_mut(positions * LANES)) {
            for image in 0..tile.images.len() {
                for row in 0..rows {
                    let [position, apart] = tile.position(image, row, size);
                    let from = [tile.images.start + image, first + block, tile.span[0].start + row, tile.span[1].start];
                    self.gradient.read_every::<V>(from, columns, [1, apart], &mut to[position * LANES..]);
                }
            }
        }
        // Pieces small enough that both operands of the micro-kernel stay in the first-level cache.
        let [runs, pixels] = tile.runs(size);
        let piece = pixels.div_ceil(pixels.div_ceil(PIECE).max(1));
        let together = (PIECE / piece.max(1)).max(1);
        let places = sum.places(&tile);
        let base = self.slice * sum.slice_len() + bundle * sum.bundle_len();
        for first in (0..pixels).step_by(piece.max(1)) {
            let mut starts = [[0; 2]; PIECE];
            for run in (0..runs).step_by(together) {
                let starts = &mut starts[..together.min(runs - run)];
                for (number, start) in starts.iter_mut().enumerate() {
                    let run = run + number;
                    *start = [tile.run(run, size) + first * LANES, (run * pixels + first) * LANES];
                }
                let runs = Runs { starts, pixels: piece.min(pixels - first), block: positions * LANES };
                self.piece::<V>(base, blocks, &places, [&*inputs, &*gradients], &runs);
            }
        }
    }

    /// Zeros the sums of its blocks: the memory comes with whatever it held.
    fn clear(&self, bundle: usize, blocks: &[Range<usize>; 2]) {
        let (sum, taps) = (self.sum, self.sum.taps.len());
        let base = self.slice * sum.slice_len() + bundle * sum.bundle_len();
        for output in blocks[1].clone().step_by(sum.panels) {
            let width = sum.panels.min(sum.all_blocks()[1] - output) * LANES;
            let start = base + sum.panel_len(output) + blocks[0].start * taps * LANES * width;
            let length = blocks[0].len() * taps * LANES * width;
            // SAFETY: a slice's blocks of either side are one task's.
            unsafe { self.shared.part(start..start + length) }.fill(T::ZERO);
        }
    }

    /// Adds what some runs of pixels give to the sums of all blocks and taps.
    #[inline(always)]
    fn piece<V: Vector<Element = T>>(
        &self,
        base: usize,
        blocks: &[Range<usize>; 2],
        places: &[Vec<Place>; 2],
        [inputs, gradients]: [&[T]; 2],
        runs: &Runs<'_>,
    ) {
        let sum = self.sum;
        let [in_blocks, out_blocks] = sum.all_blocks();
        let (input_block, taps) = (inputs.len() / sum.blocks[0], sum.taps.len());
        let mut output = blocks[1].start;
        while output < blocks[1].end {
            // Panels start at multiples of their width; a task's blocks do too.
            let panels = V::PANELS.min(out_blocks - output);
            let gradient = &gradients[(output - blocks[1].start) * runs.block..];
            for block in blocks[0].clone() {
                let start = base + sum.panel_len(output) + block * taps * LANES * panels * LANES;
                // SAFETY: a slice's blocks of either side are one task's.
                let sums = unsafe { self.shared.part(start..start + taps * LANES * panels * LANES) };
                let input = &inputs[(block - blocks[0].start) * input_block..];
                for rows in places[usize::from(block + 1 == in_blocks)].chunks(V::ROWS) {
                    // SAFETY: both tiles hold the runs, for all taps and panels; `sums` holds sixteen channels of each
                    // tap and panel.
                    unsafe {
                        let (input, gradient) = (input.as_ptr(), gradient.as_ptr());
                        micro::outer::<V, LANES>(rows, panels, input, gradient, runs, sums.as_mut_ptr());
                    }
                }
            }
            output += panels;
        }
    }
}
