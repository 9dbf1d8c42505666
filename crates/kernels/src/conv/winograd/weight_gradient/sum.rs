//! The sum a gradient of the weights is: its shape, what it reads, and where its tiles and sums lie.

use super::super::planes::{PLANES, odd};
use super::super::{Start, whole_axis};
use super::cut::Cut;
use crate::buffer::Shared;
use crate::conv::micro::panels;
use crate::conv::shape::Conv;
use crate::conv::sweep::Axis;
use crate::element::Element;
use crate::simd::{Arithmetic, InstructionSet, LANES};
use crate::view::View;
use std::ops::Range;

/// The shape of the computation, and what it reads.
pub(super) struct Sum<'a, T, const OUT: usize, const KERNEL: usize> {
    pub(super) input: View<'a, T>,
    pub(super) gradient: View<'a, T>,
    pub(super) axes: [Axis; 2],
    /// Of the input and of the output.
    pub(super) channels: [usize; 2],
    /// Rows and columns of tiles.
    pub(super) counts: [usize; 2],
    /// Blocks of outputs of a panel.
    pub(super) panels: usize,
    pub(super) cut: Cut,
}

/// Transformed tiles.
pub(super) struct Group<'a, T> {
    pub(super) tiles: Range<usize>,
    /// The first block of either side that is held.
    pub(super) first: [usize; 2],
    pub(super) planes: [Shared<'a, T>; 2],
}

impl<'a, T: Element> Group<'a, T> {
    /// Tiles that will be in `planes`, the first `inputs` numbers of which are the inputs'.
    pub(super) fn of(tiles: Range<usize>, planes: &'a mut [T], inputs: usize) -> Self {
        let (inputs, gradients) = planes.split_at_mut(inputs);
        Self { tiles, first: [0, 0], planes: [Shared::new(inputs), Shared::new(gradients)] }
    }

    /// Where in a plane the tiles from `tile` on begin.
    #[inline(always)]
    pub(super) fn starts(&self, side: usize, block: usize, tile: usize, cut: &Cut, starts: &mut [Start]) {
        let (first, tile) = ((block - self.first[side]) * cut.run(), tile - self.tiles.start);
        let [mut factor, mut which] = [first + tile / cut.depth, tile % cut.depth];
        for start in starts {
            *start = [factor * LANES, which];
            which += 1;
            if which == cut.depth {
                [factor, which] = [factor + 1, 0];
            }
        }
    }
}

/// Sums between some blocks of inputs and panels of outputs: `[panel][block][plane][input][output]`.
#[derive(Clone, Copy)]
pub(super) struct Sums<'a, T> {
    pub(super) shared: Shared<'a, T>,
    pub(super) start: usize,
    pub(super) blocks: [usize; 2],
    pub(super) first_panel: usize,
}

impl<'a, T: Element, const OUT: usize, const KERNEL: usize> Sum<'a, T, OUT, KERNEL> {
    /// Taps of a filter.
    pub(super) const TAPS: usize = KERNEL * KERNEL;

    pub(super) fn new<A: Arithmetic>(
        conv: &Conv,
        set: InstructionSet,
        input: View<'a, T>,
        gradient: View<'a, T>,
    ) -> Self {
        let size = gradient.size();
        let counts = size.map(|pixels| pixels.div_ceil(OUT));
        let channels = [conv.in_channels, conv.out_channels];
        let panels = panels::<A>(set);
        let cut = Cut::new(channels, gradient.region.batch * counts[0] * counts[1], panels, A::DEPTH);
        let axes = [0, 1].map(|axis| whole_axis(KERNEL, -(conv.padding[axis] as isize), size[axis]));
        Self { input, gradient, axes, channels, counts, panels, cut }
    }

    /// Blocks of channels of the input or of the output.
    pub(super) fn blocks(&self, side: usize) -> usize {
        self.channels[side].div_ceil(LANES)
    }

    /// Number of panels.
    pub(super) fn panel_count(&self) -> usize {
        self.blocks(1).div_ceil(self.panels)
    }

    /// Blocks of outputs of a panel.
    pub(super) fn width(&self, panel: usize) -> usize {
        self.panels.min(self.blocks(1) - panel * self.panels)
    }

    /// Channels of a block of inputs.
    pub(super) fn inputs(&self, block: usize) -> usize {
        LANES.min(self.channels[0] - block * LANES)
    }

    /// Distance of two planes of transformed tiles, `[block][factor of tiles]`.
    pub(super) fn plane(&self, side: usize) -> usize {
        odd(self.cut.at_once[side] * self.cut.run()) * LANES
    }

    /// Numbers of a group's planes, of either side.
    pub(super) fn lengths(&self) -> [usize; 2] {
        [0, 1].map(|side| PLANES * self.plane(side))
    }

    /// Numbers of the sums of some blocks of inputs and whole panels.
    pub(super) fn sums(&self, blocks: usize, panels: usize) -> usize {
        blocks * panels * PLANES * LANES * self.panels * LANES
    }

    /// Numbers of the weights between a block of inputs and a panel.
    pub(super) fn collected(&self) -> usize {
        LANES * Self::TAPS * self.panels * LANES
    }

    /// The sums of all channels, from `start` on.
    pub(super) fn all<'s>(&self, shared: Shared<'s, T>, start: usize) -> Sums<'s, T> {
        Sums { shared, start, blocks: [0, self.blocks(0)], first_panel: 0 }
    }

    /// Where the sums between a block of inputs and a panel are.
    pub(super) fn sums_at(&self, sums: &Sums<'_, T>, block: usize, panel: usize) -> usize {
        let [first, end] = sums.blocks;
        sums.start
            + self.sums(end - first, panel - sums.first_panel)
            + (block - first) * PLANES * LANES * self.width(panel) * LANES
    }
}
