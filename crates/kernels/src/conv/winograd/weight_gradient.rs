//! The gradient of the weights: with tiles `d` of the input and `y` of the gradient of the output,
//! `Gᵀ [Σ (A y Aᵀ) ⊙ (Bᵀ d B)] G`, summed over all tiles of all images.
//!
//! For each of the 36 planes the sum is a matrix product between input and output channels over tiles. The tiles are
//! gone through group by group: all channels of a group are transformed, then multiplied. Where channels are few, tasks
//! take slices of the tiles and do both, with sums of their own that are added up in their order at the end. Otherwise
//! tasks share a group, and divide the channels: no sums are added up but where there are several groups. Of the side with
//! more channels a group then holds some at a time.

mod cut;
mod invert;
mod multiply;
mod sum;
mod transform;

use self::cut::CHUNK;
use self::invert::Invert;
use self::multiply::Multiply;
use self::sum::{Group, Sum, Sums};
use self::transform::Transform;
use super::STRIP;
use super::planes::{IN, PLANES};
use crate::buffer::Shared;
use crate::conv::shape::Conv;
use crate::element::Element;
use crate::scratch::with_scratch;
use crate::simd::{Arithmetic, InstructionSet, LANES};
use crate::threads::for_each;
use crate::view::View;
use std::ops::Range;

/// Tiles a task transforms where a group is shared, and blocks of either side.
const TRANSFORMED: [usize; 2] = [32, 4];
/// Numbers of the inputs of a strip, as they are and transformed along one axis, with the widest tiles.
const HELD: usize = 2 * IN * (STRIP * 4 + 2) * LANES;

/// The gradient of the weights by Winograd's algorithm.
pub(in super::super) fn run<A: Arithmetic, const OUT: usize, const KERNEL: usize>(
    conv: &Conv,
    set: InstructionSet,
    input: &View<'_, A::Number>,
    gradient: &View<'_, A::Number>,
    weights: &mut [A::Number],
) {
    Sum::<A::Number, OUT, KERNEL>::new::<A>(conv, set, *input, *gradient).run::<A>(set, weights);
}

impl<T: Element, const OUT: usize, const KERNEL: usize> Sum<'_, T, OUT, KERNEL> {
    fn run<A: Arithmetic<Number = T>>(&self, set: InstructionSet, weights: &mut [T]) {
        let weights = Shared::new(weights);
        match self.cut.slices {
            0 if self.cut.group >= self.cut.tiles && self.cut.parts == 1 => {
                let lengths = self.lengths();
                with_scratch(lengths[0] + lengths[1], |planes| {
                    self.group::<A>(set, 0..self.cut.tiles, planes, None, weights);
                });
            }
            0 => self.by_groups::<A>(set, weights),
            _ => self.by_slices::<A>(set, weights),
        }
    }

    /// All tasks share groups, one after the other, and the sums.
    fn by_groups<A: Arithmetic<Number = T>>(&self, set: InstructionSet, weights: Shared<'_, T>) {
        let (whole, lengths) = (self.sums(self.blocks(0), self.panel_count()), self.lengths());
        with_scratch(whole + lengths[0] + lengths[1], |scratch| {
            let (sums, planes) = scratch.split_at_mut(whole);
            let sums = Shared::new(sums);
            let mut first = 0;
            // Once where there are no tiles, for the sums to be zeros.
            while first < self.cut.tiles.max(1) {
                let tiles = first..self.cut.tiles.min(first + self.cut.group);
                self.group::<A>(set, tiles, planes, Some(sums), weights);
                first += self.cut.group;
            }
            self.finish::<A>(set, sums, [1, whole], weights);
        });
    }

    /// Each task has a slice of the tiles and sums of its own.
    fn by_slices<A: Arithmetic<Number = T>>(&self, set: InstructionSet, weights: Shared<'_, T>) {
        let (cut, lengths) = (&self.cut, self.lengths());
        let whole = self.sums(self.blocks(0), self.panel_count());
        with_scratch(cut.slices * whole, |sums| {
            let sums = Shared::new(sums);
            for_each(cut.slices, |slice| {
                with_scratch(lengths[0] + lengths[1] + HELD, |scratch| {
                    let (planes, scratch) = scratch.split_at_mut(lengths[0] + lengths[1]);
                    let (all, sums) = (cut.slice(slice), self.all(sums, slice * whole));
                    let mut group = Group::of(all.clone(), planes, lengths[0]);
                    for first in all.clone().step_by(cut.group) {
                        group.tiles = first..all.end.min(first + cut.group);
                        let (tiles, group, scratch) = (group.tiles.clone(), &group, &mut *scratch);
                        let blocks = [0, 1].map(|side| 0..self.blocks(side));
                        A::dispatch(set, Transform { sum: self, group, tiles, blocks, scratch });
                        let (blocks, panels, parts) = (0..self.blocks(0), 0..self.panel_count(), 0..PLANES);
                        let fresh = first == all.start;
                        A::dispatch(set, Multiply { sum: self, group, parts, blocks, panels, sums, fresh });
                    }
                });
            });
            self.finish::<A>(set, sums, [cut.slices, whole], weights);
        });
    }

    /// Transforms a group of tiles and adds their products to the sums; where there are none, the group is all there is
    /// and what comes of it goes to the weights. Tasks share the work; of one side, some channels come after the others.
    fn group<A: Arithmetic<Number = T>>(
        &self,
        set: InstructionSet,
        tiles: Range<usize>,
        planes: &mut [T],
        sums: Option<Shared<'_, T>>,
        weights: Shared<'_, T>,
    ) {
        let mut group = Group::of(tiles, planes, self.lengths()[0]);
        let side = usize::from(self.cut.at_once[0] >= self.blocks(0));
        for first in (0..self.blocks(side)).step_by(self.cut.at_once[side].max(1)) {
            let mut held = [0, 1].map(|side| 0..self.blocks(side));
            held[side] = first..held[side].end.min(first + self.cut.at_once[side]);
            group.first[side] = first;
            let mut new = held.clone();
            if first > 0 {
                new[1 - side] = 0..0;
            }
            self.transform::<A>(set, &group, new);
            self.multiply::<A>(set, &group, held, sums, weights);
        }
    }

    /// Transforms some blocks of either side of a group.
    fn transform<A: Arithmetic<Number = T>>(
        &self,
        set: InstructionSet,
        group: &Group<'_, T>,
        blocks: [Range<usize>; 2],
    ) {
        // Tasks begin with whole factors, counted from the group's first tile: the tiles of a factor are one task's.
        const { assert!(TRANSFORMED[0].is_multiple_of(A::DEPTH)) };
        let pieces = group.tiles.len().div_ceil(TRANSFORMED[0]);
        // Those of the inputs are counted before those of the gradients.
        let (inputs, all) = (blocks[0].len(), blocks[0].len() + blocks[1].len());
        let runs = all.div_ceil(TRANSFORMED[1]);
        for_each(pieces * runs, |task| {
            let start = group.tiles.start + task / runs * TRANSFORMED[0];
            let tiles = start..group.tiles.end.min(start + TRANSFORMED[0]);
            let (start, end) = (task % runs * TRANSFORMED[1], all.min((task % runs + 1) * TRANSFORMED[1]));
            let part = |side: usize, before: usize| {
                let number = |number: usize| blocks[side].start + number.saturating_sub(before).min(blocks[side].len());
                number(start)..number(end)
            };
            let blocks = [part(0, 0), part(1, inputs)];
            with_scratch(HELD, |scratch| A::dispatch(set, Transform { sum: self, group, tiles, blocks, scratch }));
        });
    }

    /// Multiplies some blocks of either side of a group.
    fn multiply<A: Arithmetic<Number = T>>(
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
                A::dispatch(set, Multiply { sum: self, group, parts, blocks, panels, sums, fresh });
                return;
            }
            let len = self.sums(blocks.len(), panels.len());
            with_scratch(len + self.collected(), |scratch| {
                let (sums, collected) = scratch.split_at_mut(len);
                let shared = Shared::new(sums);
                let sums = Sums { shared, start: 0, blocks: [blocks.start, blocks.end], first_panel: panels.start };
                let (of_blocks, of_panels) = (blocks.clone(), panels.clone());
                let multiply = Multiply { sum: self, group, parts, blocks: of_blocks, panels: of_panels, sums, fresh };
                A::dispatch(set, multiply);
                A::dispatch(set, Invert { sum: self, blocks, panels, sums, slices: [1, 0], collected, weights });
            });
        });
    }

    /// Brings the sums of all slices to the weights.
    fn finish<A: Arithmetic<Number = T>>(
        &self,
        set: InstructionSet,
        sums: Shared<'_, T>,
        slices: [usize; 2],
        weights: Shared<'_, T>,
    ) {
        for_each(self.blocks(0) * self.panel_count(), |task| {
            let (panel, block) = (task / self.blocks(0), task % self.blocks(0));
            with_scratch(self.collected(), |collected| {
                let sums = self.all(sums, 0);
                let (blocks, panels) = (block..block + 1, panel..panel + 1);
                A::dispatch(set, Invert { sum: self, blocks, panels, sums, slices, collected, weights });
            });
        });
    }
}
