//! The gradient of the weights: for each tap the product, over all pixels, of input and gradient.
//!
//! A task owns some channels of both sides and some of the images, and goes through the images tile by tile. Its sums lie
//! one behind the other, `[panel][block of inputs][tap][input][output]`. Slices of the images, cut by the shapes alone,
//! are added up in their order at the end; where there is one, a task brings its sums to the weights' place itself, while
//! they are in its cache.

use super::choice::{Algorithm, Method, choose};
use super::micro::{self, Runs, SumRow, panels};
use super::pairs;
use super::problem::Problem;
use super::shape::{Bundles, Conv};
use super::sweep::Axis;
use super::tile::{Tile, even, largest};
use super::tile_prefetch::{Rows, TilePrefetch};
use super::winograd::weight_gradient;
use crate::buffer::Shared;
use crate::element::Element;
use crate::prefetch::Lines;
use crate::scratch::with_scratch;
use crate::simd::{Arithmetic, Exact, InstructionSet, LANES, Multiply, ProductKernel, Vector, Whole};
use crate::threads::for_each;
use crate::transpose::{NOWHERE, SharedRows, to_rows};
use crate::view::View;
use std::ops::Range;

/// Blocks of channels of either side a task takes.
const BLOCKS: [usize; 2] = [4, 8];
/// The same where there is one tap, and so few sums: either side is read as many times as the other has chunks.
const ONE_TAP: [usize; 2] = [8, 16];
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
    /// Where regions or slices do not fit the convolution.
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
    /// Where regions or slices do not fit the convolution, or the algorithm does not.
    pub fn backward_weights_by<T: Element>(
        &self,
        algorithm: Algorithm,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        weights: &mut [T],
    ) {
        T::conv_backward_weights(self, algorithm, set, input, gradient, weights);
    }

    pub(crate) fn compute_backward_weights_by<T: Element>(
        &self,
        algorithm: Algorithm,
        set: InstructionSet,
        input: &View<'_, T>,
        gradient: &View<'_, T>,
        weights: &mut [T],
    ) {
        [input, gradient].iter().for_each(|view| view.check());
        self.check(&input.region, &gradient.region, weights.len());
        let axes = [0, 1].map(|i| Axis::forward(self, i, input.size()[i], gradient.size()[i]));
        match choose::<T>(algorithm, &Problem::weights(self, &axes, gradient.region.batch)) {
            (method, false) => self.sum_by::<Exact<T>>(method, set, input, gradient, weights),
            (method, true) => self.sum_by::<T::Narrowed>(method, set, input, gradient, weights),
        }
    }

    fn sum_by<A: Arithmetic>(
        &self,
        method: Method,
        set: InstructionSet,
        input: &View<'_, A::Number>,
        gradient: &View<'_, A::Number>,
        weights: &mut [A::Number],
    ) {
        match method {
            Method::Winograd3x3 => weight_gradient::run::<A, 4, 3>(self, set, input, gradient, weights),
            Method::Winograd5x5 => weight_gradient::run::<A, 2, 5>(self, set, input, gradient, weights),
            Method::Direct => self.sum_directly::<A>(set, input, gradient, weights),
        }
    }

    fn sum_directly<A: Arithmetic>(
        &self,
        set: InstructionSet,
        input: &View<'_, A::Number>,
        gradient: &View<'_, A::Number>,
        weights: &mut [A::Number],
    ) {
        let flat = self.is_matrix_product();
        let [input, gradient] = [input, gradient].map(|view| if flat { view.flat() } else { *view });
        let axes = [0, 1].map(|i| Axis::forward(self, i, input.size()[i], gradient.size()[i]));
        let pairs = pairs::takes_pairs::<A>(set, self, self.bundles().outs, axes[1].count());
        let sum = WeightSum::new(self, axes, (flat, pairs), gradient.region.batch, panels::<A>(set));
        sum.run::<A>(set, &input, &gradient, Shared::new(weights));
    }
}

/// The shape of the computation.
struct WeightSum<'a> {
    conv: &'a Conv,
    bundles: Bundles,
    axes: [Axis; 2],
    /// Each tap's position in the kernel, and its offsets.
    taps: Vec<(usize, [isize; 2])>,
    /// Whether each map is one row that a single tap reads as it lies.
    flat: bool,
    /// Whether two pixels share a vector.
    pairs: bool,
    panels: usize,
    /// Blocks of input and output channels per task.
    blocks: [usize; 2],
    batch: usize,
    slices: usize,
    images: usize,
    span: [usize; 2],
}

impl<'a> WeightSum<'a> {
    fn new(conv: &'a Conv, axes: [Axis; 2], (flat, pairs): (bool, bool), batch: usize, panels: usize) -> Self {
        let bundles = conv.bundles();
        let [down, right] = [0, 1].map(|i| axes[i].phases[0].taps.clone());
        let taps = down
            .iter()
            .flat_map(|row| right.iter().map(move |column| (row.0 * conv.kernel[1] + column.0, [row.1, column.1])));
        let taps: Vec<_> = taps.collect();
        let all = [bundles.ins.div_ceil(LANES), bundles.outs.div_ceil(LANES)];
        let most = if taps.len() == 1 { ONE_TAP } else { BLOCKS };
        let blocks = [0, 1].map(|i| most[i].min(all[i]).max(1));
        let counts = [axes[0].count(), axes[1].count()];
        let fits = |images: usize, span: [usize; 2]| {
            let tile = Tile::new(&axes, 0..images, span.map(|length| 0..length));
            images * span[0] * span[1] <= POSITIONS && tile.block() * blocks[0] <= TILE
        };
        let per_slice = all[0].div_ceil(blocks[0]) * all[1].div_ceil(blocks[1]) * bundles.count;
        let slices = TASKS.div_ceil(per_slice).min(batch).max(1);
        let (images, span) = largest(counts, batch.div_ceil(slices).max(1), fits);
        Self { conv, bundles, axes, taps, flat, pairs, panels, blocks, batch, slices, images, span }
    }

    /// Runs every task.
    fn run<A: Arithmetic>(
        &self,
        set: InstructionSet,
        input: &View<'_, A::Number>,
        gradient: &View<'_, A::Number>,
        weights: Shared<'_, A::Number>,
    ) {
        type Memory<'m, A> = &'m mut [<A as Arithmetic>::Number];
        let (tasks, length) = (self.tasks(), self.task_len());
        let run = |slice: usize, task: usize, [inputs, gradients, sums]: [Memory<'_, A>; 3]| {
            let task = Task { sum: self, input: *input, gradient: *gradient, slice, own: self.own(task) };
            A::dispatch(set, Filled { task, inputs, gradients, sums });
        };
        let held = [self.held(), self.blocks[1] * self.positions() * LANES];
        if self.slices == 1 {
            for_each(tasks, |task| {
                with_scratch(held[0] + held[1] + length, |scratch| {
                    let (inputs, rest) = scratch.split_at_mut(held[0]);
                    let (gradients, sums) = rest.split_at_mut(held[1]);
                    run(0, task, [inputs, gradients, &mut *sums]);
                    for cell in 0..self.own(task).cells() {
                        let sums = &sums[self.cell(task, cell)];
                        A::dispatch(set, Unpack { sum: self, task, cell, sums, weights });
                    }
                });
            });
            return;
        }
        with_scratch(self.slices * tasks * length, |all| {
            let shared = Shared::new(&mut *all);
            for_each(self.slices * tasks, |number| {
                with_scratch(held[0] + held[1], |scratch| {
                    let (inputs, gradients) = scratch.split_at_mut(held[0]);
                    // SAFETY: each task has sums of its own.
                    let sums = unsafe { shared.part(number * length..(number + 1) * length) };
                    run(number / tasks, number % tasks, [inputs, gradients, sums]);
                });
            });
            let cells = self.panels_of(self.blocks[1]) * self.blocks[0];
            for_each(tasks * cells, |number| {
                let (task, cell) = (number / cells, number % cells);
                if cell >= self.own(task).cells() {
                    return;
                }
                let range = self.cell(task, cell);
                let mut sums = all[task * length..][range.clone()].to_vec();
                for slice in 1..self.slices {
                    let slice = &all[(slice * tasks + task) * length..][range.clone()];
                    sums.iter_mut().zip(slice).for_each(|(sum, part)| *sum += *part);
                }
                A::dispatch(set, Unpack { sum: self, task, cell, sums: &sums, weights });
            });
        });
    }

    /// Positions of the largest tile.
    fn positions(&self) -> usize {
        self.images * self.span[0] * self.span[1]
    }

    /// Numbers of the largest tile of the input.
    fn held(&self) -> usize {
        let tile = Tile::new(&self.axes, 0..self.images, self.span.map(|length| 0..length));
        match self.pairs {
            true => pairs::planes_len(&tile, self.channels(self.blocks[0])) + tile.row(),
            false => tile.block() * self.blocks[0],
        }
    }

    /// Channels of so many blocks of the input, or all there are.
    fn channels(&self, blocks: usize) -> usize {
        self.bundles.ins.min(blocks * LANES)
    }

    /// The rows of the micro-kernel's product: the channels of each tap, for a full block and for the last one.
    fn places(&self, tile: &Tile) -> [Vec<SumRow>; 2] {
        let last = self.bundles.ins - (self.all_blocks()[0] - 1) * LANES;
        [LANES, last].map(|channels| {
            let mut places = Vec::with_capacity(self.taps.len() * channels);
            for (number, (_, offset)) in self.taps.iter().enumerate() {
                // Channels lie side by side, or one plane behind the other.
                let (tap, apart) = match self.pairs {
                    true => (tile.tap(*offset) / LANES, pairs::plane(tile)),
                    false => (tile.tap(*offset), 1),
                };
                places.extend(
                    (0..channels).map(|lane| SumRow { input: tap + lane * apart, sums: number * LANES + lane }),
                );
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

    /// Numbers of the sums of a task at most.
    fn task_len(&self) -> usize {
        self.blocks[0] * self.blocks[1] * self.taps.len() * LANES * LANES
    }

    fn panels_of(&self, blocks: usize) -> usize {
        blocks.div_ceil(self.panels)
    }

    /// The bundle and the blocks of a task.
    fn own(&self, task: usize) -> Own {
        let all = self.all_blocks();
        let chunks = [0, 1].map(|i| all[i].div_ceil(self.blocks[i]));
        let (bundle, chunk) = (task / (chunks[0] * chunks[1]), task % (chunks[0] * chunks[1]));
        let range = |number: usize, i: usize| number * self.blocks[i]..((number + 1) * self.blocks[i]).min(all[i]);
        Own { bundle, blocks: [range(chunk / chunks[1], 0), range(chunk % chunks[1], 1)], panels: self.panels }
    }

    /// Where the sums of a cell are among its task's.
    fn cell(&self, task: usize, cell: usize) -> Range<usize> {
        let own = self.own(task);
        let (panel, block) = own.blocks_of(cell);
        let (before, width) = (panel - own.blocks[1].start, own.width(panel));
        let row = self.taps.len() * LANES * LANES;
        let start = (before * own.blocks[0].len() + (block - own.blocks[0].start) * width) * row;
        start..start + width * row
    }

    /// Where each tap of each input of a block is among the sums of a panel of so many outputs.
    fn sums_of(&self, inputs: usize, width: usize) -> Vec<usize> {
        let all = self.conv.kernel[0] * self.conv.kernel[1];
        let mut places = vec![NOWHERE; inputs * all];
        for (number, (tap, _)) in self.taps.iter().enumerate() {
            for input in 0..inputs {
                places[input * all + tap] = (number * LANES + input) * width;
            }
        }
        places
    }
}

/// Copies the sums of a cell to the place of its weights.
struct Unpack<'a, T> {
    sum: &'a WeightSum<'a>,
    task: usize,
    cell: usize,
    sums: &'a [T],
    weights: Shared<'a, T>,
}

impl<T: Element> ProductKernel<T> for Unpack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let Self { sum, task, cell, sums, weights } = self;
        let own = sum.own(task);
        let ((panel, block), bundle) = (own.blocks_of(cell), own.bundle);
        let all = sum.conv.kernel[0] * sum.conv.kernel[1];
        let width = own.width(panel) * LANES;
        let inputs = LANES.min(sum.bundles.ins - block * LANES);
        let places = sum.sums_of(inputs, width);
        // Inputs of an output lie one behind the other, but only those of its group.
        let channels = bundle * sum.bundles.ins + block * LANES;
        let group = sum.conv.out_channels / sum.conv.groups;
        let end = (bundle + 1) * sum.bundles.outs;
        for lanes in (0..width).step_by(LANES) {
            // Without a tap that meets the input there are no sums, and every weight's gradient is zero.
            let sums = sums.get(lanes..).unwrap_or_default();
            let mut output = bundle * sum.bundles.outs + panel * LANES + lanes;
            let last = end.min(output + LANES);
            let first = output;
            // Outputs of one group at a time.
            while output < last {
                let until_output = last.min((output / group + 1) * group);
                let seen = sum.conv.inputs_of(output);
                let (from, until) = (seen.start.max(channels), seen.end.min(channels + inputs));
                if from < until
                    && let Some(start) = sum.conv.weight_index(output, from, 0)
                {
                    let stride = sum.conv.in_channels / sum.conv.groups * all;
                    let length = (until - from) * all;
                    let places = &places[(from - channels) * all..][..length];
                    let to = SharedRows { numbers: weights, start, stride };
                    // SAFETY: each cell has the weights between its own channels.
                    unsafe { to_rows::<M::Vector>(sums, places, output - first..until_output - first, &to) };
                }
                output = until_output;
            }
        }
    }
}

/// The channels of a task. Its sums are cut into cells: a block of inputs and a panel of blocks of outputs each.
struct Own {
    bundle: usize,
    /// Of inputs and of outputs.
    blocks: [Range<usize>; 2],
    panels: usize,
}

impl Own {
    /// Blocks of the panel that begins with a block.
    fn width(&self, first: usize) -> usize {
        self.panels.min(self.blocks[1].end - first)
    }

    fn cells(&self) -> usize {
        self.blocks[1].len().div_ceil(self.panels) * self.blocks[0].len()
    }

    /// The first block of outputs of a cell, and its block of inputs.
    fn blocks_of(&self, cell: usize) -> (usize, usize) {
        let (panel, block) = (cell / self.blocks[0].len(), cell % self.blocks[0].len());
        (self.blocks[1].start + panel * self.panels, self.blocks[0].start + block)
    }
}

struct Task<'a, T> {
    sum: &'a WeightSum<'a>,
    input: View<'a, T>,
    gradient: View<'a, T>,
    slice: usize,
    own: Own,
}

/// A task with its memory: the tiles of the input and of the gradient, and the sums.
struct Filled<'a, T> {
    task: Task<'a, T>,
    inputs: &'a mut [T],
    gradients: &'a mut [T],
    sums: &'a mut [T],
}

impl<T: Element> ProductKernel<T> for Filled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let Self { task, inputs, gradients, sums } = self;
        sums.fill(T::ZERO);
        let tiles = task.tiles();
        let mut tile = (tiles > 0).then(|| task.nth_tile(0));
        let mut places = Vec::new();
        let mut placed = None;
        for number in 1..=tiles {
            let next = (number < tiles).then(|| task.nth_tile(number));
            if let Some(tile) = &tile {
                // Most tiles are of one size, and so where everything is in them.
                let size = tile.sizes();
                if placed.replace(size) != Some(size) {
                    places = task.sum.places(tile).into();
                }
                let mut ahead = task.ahead(tile, next.as_ref(), M::Vector::ROWS);
                task.tile::<M>(tile, &places, [&mut *inputs, &mut *gradients], &mut ahead, sums);
            }
            tile = next;
        }
        if task.sum.pairs {
            pairs::fold::<M::Vector>(sums);
        }
    }
}

impl<'a, T: Element> Task<'a, T> {
    /// The images of its slice.
    fn images(&self) -> Range<usize> {
        let cut = |slice: usize| self.sum.batch * slice / self.sum.slices;
        cut(self.slice)..cut(self.slice + 1)
    }

    /// How many times a tile fits into images, rows and columns.
    fn counts(&self) -> [usize; 3] {
        let (sum, [rows, columns]) = (self.sum, [0, 1].map(|axis| self.sum.axes[axis].count()));
        [self.images().len().div_ceil(sum.images), rows.div_ceil(sum.span[0]), columns.div_ceil(sum.span[1])]
    }

    fn tiles(&self) -> usize {
        self.counts().iter().product()
    }

    fn nth_tile(&self, number: usize) -> Tile {
        let (sum, [_, down, across]) = (self.sum, self.counts());
        let range = |number: usize, step: usize, end: usize| number * step..((number + 1) * step).min(end);
        let Range { start, end } = self.images();
        let images = range(number / (down * across), sum.images, end - start);
        let span = [
            range(number / across % down, sum.span[0], sum.axes[0].count()),
            range(number % across, sum.span[1], sum.axes[1].count()),
        ];
        Tile::new(&sum.axes, start + images.start..start + images.end, span)
    }

    /// Its blocks among all blocks of input and gradient.
    fn all_blocks(&self) -> [Range<usize>; 2] {
        let all = self.sum.all_blocks();
        [0, 1].map(|side| {
            let (first, blocks) = (self.own.bundle * all[side], &self.own.blocks[side]);
            first + blocks.start..first + blocks.end
        })
    }

    /// What the next tile reads, for about as many calls of the micro-kernel as this one takes.
    fn ahead(&self, tile: &Tile, next: Option<&Tile>, rows: usize) -> TilePrefetch<T> {
        let mut ahead = TilePrefetch::nothing();
        if let Some(next) = next {
            let [inputs, gradients] = self.all_blocks();
            ahead.tile(&self.input, next, inputs);
            let [rows, columns] = next.span.clone();
            ahead.view(&self.gradient, Rows { images: next.images.clone(), blocks: gradients, rows, step: 1, columns });
        }
        let products = self.own.cells() * (self.sum.taps.len() * LANES).div_ceil(rows);
        ahead.over(tile.positions().div_ceil(PIECE) * products)
    }

    #[inline(always)]
    fn tile<M: Multiply<Number = T>>(
        &self,
        tile: &Tile,
        places: &[Vec<SumRow>],
        [inputs, gradients]: [&mut [T]; 2],
        ahead: &mut TilePrefetch<T>,
        sums: &mut [T],
    ) {
        let sum = self.sum;
        let [rows, columns] = [tile.span[0].len(), tile.span[1].len()];
        let positions = tile.images.len() * rows * columns;
        let blocks = self.all_blocks();
        let inputs = if sum.pairs {
            let (held, planes) = inputs.split_at_mut(tile.row());
            let channels = (sum.bundles.ins - self.own.blocks[0].start * LANES).min(blocks[0].len() * LANES);
            tile.fill_planes::<M::Vector>(&self.input, (blocks[0].start, channels), held, planes);
            planes
        } else {
            let inputs = &mut inputs[..sum.blocks[0] * tile.block()];
            tile.fill::<Whole<M::Vector>>(&self.input, blocks[0].clone(), inputs);
            inputs
        };
        let size = [rows, columns];
        for (block, to) in blocks[1].clone().zip(gradients.chunks_exact_mut(positions * LANES)) {
            for image in 0..tile.images.len() {
                for row in 0..rows {
                    let [position, apart] = tile.position(image, row, size);
                    let from = [tile.images.start + image, block, tile.span[0].start + row, tile.span[1].start];
                    self.gradient.read_every::<M::Vector>(from, columns, [1, apart], &mut to[position * LANES..]);
                }
            }
        }
        let [runs, pixels] = tile.runs(size);
        let depth = if sum.pairs { 2 } else { M::DEPTH };
        let factors = pixels.div_ceil(depth);
        let block = runs * factors * LANES;
        if sum.pairs {
            pairs::interleave::<M::Vector>(&mut gradients[..positions * LANES], pixels);
        } else if M::DEPTH > 1 {
            neighbours::<M>(&mut gradients[..blocks[1].len() * positions * LANES], pixels, M::DEPTH);
            // A tap may meet any two neighbours, but where there is one that reads pixels as they lie.
            match sum.flat {
                true => neighbours::<M>(inputs, pixels, M::DEPTH),
                false => neighbours::<M>(inputs, tile.block() / LANES, 1),
            }
        }
        let input_block = match (sum.pairs, sum.flat) {
            (true, _) => pairs::plane(tile) * LANES,
            (_, true) => block,
            _ => tile.block(),
        };
        // Pieces small enough that both operands of the micro-kernel stay in the first-level cache.
        let piece = factors.div_ceil(factors.div_ceil(PIECE).max(1));
        let together = (PIECE / piece.max(1)).max(1);
        for first in (0..factors).step_by(piece.max(1)) {
            let mut starts = [[0; 2]; PIECE];
            for run in (0..runs).step_by(together) {
                let starts = &mut starts[..together.min(runs - run)];
                for (number, start) in starts.iter_mut().enumerate() {
                    let run = run + number;
                    let gradient = (run * factors + first) * LANES;
                    let input = tile.run(run, size) + first * depth * LANES;
                    *start = match (sum.pairs, sum.flat) {
                        (true, _) => [input / LANES, gradient],
                        (_, true) => [gradient; 2],
                        _ => [input, gradient],
                    };
                }
                let runs = Runs { starts, factors: piece.min(factors - first), block, ahead: Lines::NONE };
                let odd = sum.pairs && !pixels.is_multiple_of(2) && first + piece >= factors;
                self.piece::<M>(places, [&*inputs, &*gradients], input_block, (runs, odd), ahead, sums);
            }
        }
    }

    /// Adds what some runs of pixels give to the sums of all blocks and taps.
    #[inline(always)]
    fn piece<M: Multiply<Number = T>>(
        &self,
        places: &[Vec<SumRow>],
        [inputs, gradients]: [&[T]; 2],
        input_block: usize,
        (mut runs, odd): (Runs<'_>, bool),
        ahead: &mut TilePrefetch<T>,
        sums: &mut [T],
    ) {
        let (sum, [ins, outs]) = (self.sum, &self.own.blocks);
        let taps = sum.taps.len();
        let last = sum.all_blocks()[0];
        let mut sums = sums;
        for output in outs.clone().step_by(M::Vector::PANELS) {
            let panels = self.own.width(output);
            let gradient = &gradients[(output - outs.start) * runs.block..];
            for block in ins.clone() {
                let (cell, rest) = sums.split_at_mut(taps * LANES * panels * LANES);
                sums = rest;
                let input = &inputs[(block - ins.start) * input_block..];
                let rows = &places[usize::from(block + 1 == last)];
                // As even as can be: a product of one row would take the time of several.
                let most = if sum.pairs { even(rows.len(), pairs::ROWS) } else { M::Vector::ROWS };
                for rows in rows.chunks(most) {
                    runs.ahead = ahead.next();
                    // SAFETY: both tiles hold the runs, for all taps and panels; `cell` holds sixteen channels of each
                    // tap and panel.
                    unsafe {
                        let (input, gradient, cell) = (input.as_ptr(), gradient.as_ptr(), cell.as_mut_ptr());
                        if sum.pairs {
                            pairs::outer::<M::Vector>(rows, input, gradient, (&runs, odd), cell);
                        } else if M::DEPTH == 1 || sum.flat {
                            micro::outer::<M, 1>(rows, panels, input, gradient, &runs, cell);
                        } else {
                            micro::outer::<M, 2>(rows, panels, input, gradient, &runs, cell);
                        }
                    }
                }
            }
        }
    }
}

/// Makes factors of neighbouring vectors where they lie: of each run of `run` vectors, every `step`-th with the one behind
/// it. The last of a run has none, but for a zero.
#[inline(always)]
fn neighbours<M: Multiply>(numbers: &mut [M::Number], run: usize, step: usize) {
    let mut to = 0;
    for number in 0..numbers.len() / LANES / run.max(1) {
        let run = number * run..(number + 1) * run;
        for first in run.clone().step_by(step) {
            // SAFETY: whole vectors of `numbers`. What is written has been read, since there are no more factors than
            // vectors before it.
            unsafe {
                let numbers = numbers.as_mut_ptr();
                let both = match first + 1 < run.end {
                    true => {
                        [M::Vector::load(numbers.add(first * LANES)), M::Vector::load(numbers.add((first + 1) * LANES))]
                    }
                    false => [M::Vector::load(numbers.add(first * LANES)), M::Vector::zero()],
                };
                M::store_together(both, numbers.add(to * LANES));
            }
            to += 1;
        }
    }
}
