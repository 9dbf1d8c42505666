//! The gradient of the weights: for each tap the product, over all pixels, of input and gradient.
//!
//! A task owns some channels of both sides and some of the images, and goes through the images tile by tile. Its sums lie
//! one behind the other, `[panel][block of inputs][tap][input][output]`. Slices of the images, cut by the shapes alone,
//! are added up in their order at the end; where there is one, a task brings its sums to the weights' place itself, while
//! they are in its cache.

mod own;
mod task;
mod unpack;

use super::choice::{Algorithm, Method, choose};
use super::micro::{SumRow, panels};
use super::pairs;
use super::problem::Problem;
use super::shape::{Bundles, Conv};
use super::sweep::Axis;
use super::tile::{Tile, largest};
use super::winograd::weight_gradient;
use crate::buffer::Shared;
use crate::element::Element;
use crate::scratch::with_scratch;
use crate::simd::{Arithmetic, Exact, InstructionSet, LANES};
use crate::threads::for_each;
use crate::transpose::NOWHERE;
use crate::view::View;
use own::Own;
use std::ops::Range;
use task::{Filled, Task};
use unpack::Unpack;

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
            true => pairs::planes_len(&tile, self.channels(&(0..self.blocks[0]))) + tile.row(),
            false => tile.block() * self.blocks[0],
        }
    }

    /// Channels of some blocks of the input of a bundle.
    fn channels(&self, blocks: &Range<usize>) -> usize {
        self.bundles.ins.min(blocks.end * LANES) - blocks.start * LANES
    }

    /// The rows of the micro-kernel's product: the channels of each tap, for a full block and for the last one.
    fn places(&self, tile: &Tile) -> [Vec<SumRow>; 2] {
        let all = self.all_blocks()[0];
        [LANES, self.channels(&(all - 1..all))].map(|channels| {
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
