//! Which channels a task has.

use std::ops::Range;

/// The channels of a task. Its sums are cut into cells: a block of inputs and a panel of blocks of outputs each.
pub(super) struct Own {
    pub(super) bundle: usize,
    /// Of inputs and of outputs.
    pub(super) blocks: [Range<usize>; 2],
    pub(super) panels: usize,
}

impl Own {
    /// Blocks of the panel that begins with a block.
    pub(super) fn width(&self, first: usize) -> usize {
        self.panels.min(self.blocks[1].end - first)
    }

    pub(super) fn cells(&self) -> usize {
        self.blocks[1].len().div_ceil(self.panels) * self.blocks[0].len()
    }

    /// The first block of outputs of a cell, and its block of inputs.
    pub(super) fn blocks_of(&self, cell: usize) -> (usize, usize) {
        let (panel, block) = (cell / self.blocks[0].len(), cell % self.blocks[0].len());
        (self.blocks[1].start + panel * self.panels, self.blocks[0].start + block)
    }
}
