//! What a way of multiplying makes of words and panels.

use crate::narrow::Format;
use crate::simd::{Dot, DotKernel, InstructionSet, Vector};

/// The sizes that depend on how narrow numbers are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Channels of a word.
    pub(super) per_word: usize,
    /// Blocks of outputs of a panel.
    pub(super) panels: usize,
    /// Whether tiles hold numbers as maps do, so that some need no tile.
    pub(super) as_they_lie: bool,
}

impl Units {
    /// Those of the way that an instruction set has.
    pub(super) fn of<F: Format>(set: InstructionSet) -> Self {
        F::dispatch(set, AskUnits)
    }
}

/// Asks for the sizes of a way of multiplying.
struct AskUnits;

impl<F: Format> DotKernel<F> for AskUnits {
    type Output = Units;

    #[inline(always)]
    fn run<V: Vector<Element = f32>, D: Dot<Number = F>>(self) -> Units {
        let as_they_lie = size_of::<D::Cell>() == size_of::<F>();
        Units { per_word: D::PER_WORD, panels: D::PANELS, as_they_lie }
    }
}
