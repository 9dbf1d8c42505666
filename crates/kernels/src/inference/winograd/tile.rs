//! The tile of an algorithm, and how many of them there are.

use super::scheme::{F2x3, F2x5, F4x3, F4x7, One, Scheme, with_scheme};
use crate::conv::Conv;
use crate::inference::algorithm::ConvAlgorithm;

/// Tiles of a task at most, which bounds its products.
pub(super) const MOST_TILES: usize = 56;

/// A tile of an algorithm, down and across.
#[derive(Clone, Copy, Debug)]
pub(in crate::inference) struct Tile {
    pub(in crate::inference) outputs: [usize; 2],
    pub(in crate::inference) kernel: [usize; 2],
    pub(in crate::inference) inputs: [usize; 2],
}

impl Tile {
    pub(in crate::inference) fn of(algorithm: ConvAlgorithm) -> Self {
        with_scheme!(algorithm, D, A => Self {
            outputs: [D::OUTPUTS, A::OUTPUTS],
            kernel: [D::KERNEL, A::KERNEL],
            inputs: [D::INPUTS, A::INPUTS],
        })
    }

    pub(in crate::inference) fn planes(&self) -> usize {
        self.inputs[0] * self.inputs[1]
    }

    pub(in crate::inference) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Tiles of a map, down and across.
    pub(in crate::inference) fn tiles(&self, size: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| size[axis].div_ceil(self.outputs[axis]))
    }
}

/// Whether a convolution is computed with rows for columns, as one of a row of taps is by an algorithm for a column of them.
pub(super) fn is_turned(conv: &Conv) -> bool {
    conv.kernel[1] > conv.kernel[0]
}

/// An axis for the other one, if so.
pub(super) fn turned<T>([down, across]: [T; 2], turn: bool) -> [T; 2] {
    if turn { [across, down] } else { [down, across] }
}

/// Tiles of so many images' maps.
pub(in crate::inference) fn tiles(algorithm: ConvAlgorithm, conv: &Conv, size: [usize; 2], batch: usize) -> usize {
    let [down, across] = Tile::of(algorithm).tiles(turned(size, is_turned(conv)));
    batch * down * across
}

/// Whether the tiles of so many images are multiplied with a filter at once.
pub(in crate::inference) fn at_once(algorithm: ConvAlgorithm, conv: &Conv, size: [usize; 2], batch: usize) -> bool {
    tiles(algorithm, conv, size, batch) <= MOST_TILES
}
