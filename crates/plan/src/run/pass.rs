//! One pass over a plan's stages.

use super::workspace::RunWorkspace;
use crate::plan::Plan;
use cnn_kernels::InstructionSet;

/// One pass over a plan's stages: the plan, and the memory of the run.
pub struct Pass<'a, T> {
    pub(super) plan: &'a Plan,
    pub(super) workspace: &'a mut RunWorkspace<T>,
    pub(super) set: InstructionSet,
    /// The images `(N, C, H, W)`, which are read where they are; none in a backward pass to nodes, which reads none.
    pub(super) images: &'a [T],
    /// How many there are.
    pub(super) batch: usize,
    /// Where dropout's masks come from; in evaluation there are none.
    pub(super) dropout: Dropout,
}

/// Where dropout's masks come from: a function of the seed, the number of the pass and the node's path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropout {
    /// The seed.
    pub seed: u64,
    /// Training passes so far; a run that goes on from a checkpoint gives the number it had reached.
    pub passes: u64,
}
