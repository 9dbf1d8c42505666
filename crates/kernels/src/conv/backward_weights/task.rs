//! A task of the gradient of the weights: some channels of both sides, of some of the images.

use super::super::micro::{self, Runs, SumRow};
use super::super::pairs;
use super::super::tile::{Tile, even};
use super::super::tile_prefetch::{Rows, TilePrefetch};
use super::own::Own;
use super::{PIECE, WeightSum};
use crate::element::Element;
use crate::prefetch::Lines;
use crate::simd::{LANES, Multiply, ProductKernel, Vector, Whole};
use crate::view::View;
use std::ops::Range;

pub(super) struct Task<'a, T> {
    pub(super) sum: &'a WeightSum<'a>,
    pub(super) input: View<'a, T>,
    pub(super) gradient: View<'a, T>,
    pub(super) slice: usize,
    pub(super) own: Own,
}

/// A task with its memory: the tiles of the input and of the gradient, and the sums.
pub(super) struct Filled<'a, T> {
    pub(super) task: Task<'a, T>,
    pub(super) inputs: &'a mut [T],
    pub(super) gradients: &'a mut [T],
    pub(super) sums: &'a mut [T],
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
            let channels = sum.channels(&self.own.blocks[0]);
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
