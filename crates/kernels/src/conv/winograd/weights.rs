//! The filters, transformed once per call.
#![allow(clippy::needless_range_loop)]

use super::super::correlation::Correlation;
use super::super::micro::panels;
use super::planes::{IN, PLANES, odd};
use crate::buffer::Shared;
use crate::conv::winograd::transforms::{Points as _, Six};
use crate::element::Element;
use crate::scratch::with_scratch;
use crate::simd::{Arithmetic, InstructionSet, LANES, Multiply, ProductKernel, Vector};
use crate::threads::for_each;
use crate::transpose::{Rows, to_columns};

/// Inputs between those that are read and those that are asked for, where they lie far apart.
const AHEAD: usize = 4;

/// Where the transformed filters are: `[panel][plane][factor of inputs][output]`, panels of `panels` blocks of outputs.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    ins: usize,
    outs: usize,
    panels: usize,
    depth: usize,
}

impl Layout {
    pub(super) fn new<A: Arithmetic>(correlation: &Correlation<'_>, set: InstructionSet) -> Self {
        let (ins, outs) = (correlation.bundles.ins, correlation.bundles.outs);
        Self { ins, outs, panels: panels::<A>(set), depth: A::DEPTH }
    }

    /// Numbers of a factor.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Factors of all inputs.
    fn factors(&self) -> usize {
        self.ins.div_ceil(self.depth)
    }

    /// Number of panels.
    pub(super) fn count(&self) -> usize {
        self.outs.div_ceil(LANES).div_ceil(self.panels)
    }

    /// Blocks of outputs of a panel.
    pub(super) fn blocks(&self, panel: usize) -> usize {
        self.panels.min(self.outs.div_ceil(LANES) - panel * self.panels)
    }

    /// First block of outputs of a panel.
    pub(super) fn first_block(&self, panel: usize) -> usize {
        panel * self.panels
    }

    /// Distance of two planes of a panel.
    pub(super) fn plane(&self, panel: usize) -> usize {
        odd(self.factors() * self.blocks(panel)) * LANES
    }

    /// Where a panel starts.
    pub(super) fn start(&self, panel: usize) -> usize {
        panel * self.panel()
    }

    /// Numbers of a panel at most.
    pub(super) fn panel(&self) -> usize {
        PLANES * odd(self.factors() * self.panels) * LANES
    }

    /// Numbers of all panels.
    pub(super) fn len(&self) -> usize {
        self.start(self.count())
    }
}

/// The filters of a convolution, to be transformed.
#[derive(Clone, Copy)]
pub(super) struct Filters<'a, T, const KERNEL: usize> {
    backward: bool,
    pub(super) layout: Layout,
    weights: &'a [T],
}

impl<'a, T: Element, const KERNEL: usize> Filters<'a, T, KERNEL> {
    /// Taps of a filter.
    const TAPS: usize = KERNEL * KERNEL;

    pub(super) fn new(correlation: &Correlation<'_>, layout: Layout, weights: &'a [T]) -> Self {
        Self { backward: correlation.backward, layout, weights }
    }

    /// Transforms all filters into `to`.
    pub(super) fn transform<A: Arithmetic<Number = T>>(&self, set: InstructionSet, to: &mut [T]) {
        let blocks = self.layout.ins.div_ceil(LANES);
        let to = Shared::new(to);
        for_each(self.layout.count() * blocks, |task| {
            let (panel, block) = (task / blocks, task % blocks);
            with_scratch(self.collected(), |collected| {
                A::dispatch(set, Share { filters: self, panel, block, collected, to });
            });
        });
    }

    /// Numbers that [`Filters::transform_block`] needs memory for.
    pub(super) fn collected(&self) -> usize {
        LANES * Self::TAPS * self.layout.panels * LANES
    }

    /// Transforms the filters between a block of inputs and a panel of outputs into the panel's place in `to`, from
    /// `start` on.
    #[inline(always)]
    pub(super) fn transform_block<M: Multiply<Number = T>>(
        &self,
        [panel, block]: [usize; 2],
        collected: &mut [T],
        (to, start): (Shared<'_, T>, usize),
    ) {
        let Layout { ins, outs, panels, .. } = self.layout;
        let first = block * LANES;
        let inputs = (ins - first).min(LANES);
        let width = self.layout.blocks(panel) * LANES;
        let outputs = (outs - panel * panels * LANES).min(width);
        let collected = &mut collected[..inputs * Self::TAPS * width];
        self.collect::<M::Vector>([first, inputs], [panel * panels * LANES, outputs], width, collected);
        let plane = self.layout.plane(panel);
        let start = start + first / M::DEPTH * width;
        let length = (PLANES - 1) * plane + inputs.div_ceil(M::DEPTH) * width;
        // SAFETY: blocks of inputs have places of their own in each plane.
        let to = unsafe { to.pointer(start..start + length) };
        for vector in 0..inputs * width / LANES {
            let (input, lanes) = (vector * LANES / width, vector * LANES % width);
            // SAFETY: within `collected`, `inputs` times as many rows of `width` as there are taps; the bounds of `to` are checked above.
            unsafe {
                let from = collected.as_ptr().add(input * Self::TAPS * width + lanes);
                let to = to.add(input / M::DEPTH * width + lanes);
                let mut half = [[M::Vector::zero(); KERNEL]; IN];
                for x in 0..KERNEL {
                    let mut column = [M::Vector::zero(); KERNEL];
                    for y in 0..KERNEL {
                        column[y] = M::Vector::load(from.add((y * KERNEL + x) * width));
                    }
                    let column = Six::filter(column);
                    for y in 0..IN {
                        half[y][x] = column[y];
                    }
                }
                for y in 0..IN {
                    let row = Six::filter(half[y]);
                    for x in 0..IN {
                        M::store_beside(row[x], input % M::DEPTH, to.add((y * IN + x) * plane));
                    }
                }
            }
        }
    }

    /// Copies filters to `to`: `[input][tap][output]`, zeros where there is no output.
    #[inline(always)]
    fn collect<V: Vector<Element = T>>(
        &self,
        [first, inputs]: [usize; 2],
        [out, outputs]: [usize; 2],
        width: usize,
        to: &mut [T],
    ) {
        let Layout { ins, outs, .. } = self.layout;
        let mut places = [[[0; KERNEL]; KERNEL]; LANES];
        let places = places.as_flattened_mut().as_flattened_mut();
        for (number, region) in places.iter_mut().enumerate() {
            *region = width * if self.backward { Self::TAPS - 1 - number % Self::TAPS } else { number };
        }
        for lanes in (0..width).step_by(LANES) {
            let count = LANES.min(outputs.saturating_sub(lanes));
            let out = if count == 0 { 0 } else { out + lanes };
            if self.backward {
                for input in 0..inputs {
                    let from = &self.weights[((first + input) * outs + out) * Self::TAPS..];
                    let to = &mut to[input * Self::TAPS * width + lanes..];
                    let rows = Rows { count, stride: Self::TAPS, ahead: AHEAD * outs * Self::TAPS };
                    to_columns::<V>(from, rows, &places[..Self::TAPS], to);
                }
            } else {
                let from = &self.weights[(out * ins + first) * Self::TAPS..];
                // The next block but one: neighbouring tasks take the next.
                let rows = Rows { count, stride: ins * Self::TAPS, ahead: 2 * LANES * Self::TAPS };
                to_columns::<V>(from, rows, &places[..inputs * Self::TAPS], &mut to[lanes..]);
            }
        }
    }
}

/// A task of [`Filters::transform`].
struct Share<'a, T, const KERNEL: usize> {
    filters: &'a Filters<'a, T, KERNEL>,
    panel: usize,
    block: usize,
    collected: &'a mut [T],
    to: Shared<'a, T>,
}

impl<T: Element, const KERNEL: usize> ProductKernel<T> for Share<'_, T, KERNEL> {
    type Output = ();

    #[inline(always)]
    fn run<M: Multiply<Number = T>>(self) {
        let start = self.filters.layout.start(self.panel);
        self.filters.transform_block::<M>([self.panel, self.block], self.collected, (self.to, start));
    }
}
