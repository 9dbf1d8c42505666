//! `sum` and `concat`: blocks side by side on the same input.

use super::Block;
use crate::op::Op;

/// Blocks that read the same input, and how their outputs become one.
#[derive(Clone, Debug, PartialEq)]
pub struct Branches {
    pub(crate) join: Join,
    pub(crate) branches: Vec<(Option<String>, Block)>,
}

/// How branches become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Join {
    /// Element by element; all shapes equal.
    Sum,
    /// Concatenated along the channels; all sizes equal.
    Concat,
}

/// Branches whose outputs are added.
pub fn sum() -> Branches {
    Branches { join: Join::Sum, branches: Vec::new() }
}

/// Branches whose outputs are concatenated along the channels.
pub fn concat() -> Branches {
    Branches { join: Join::Concat, branches: Vec::new() }
}

impl Branches {
    /// One more branch, unlabelled: its labels stand directly in the enclosing path.
    pub fn branch(mut self, block: impl Into<Block>) -> Self {
        self.branches.push((None, block.into()));
        self
    }

    /// One more branch under the segment `label`.
    pub fn labelled(mut self, label: impl ToString, block: impl Into<Block>) -> Self {
        self.branches.push((Some(label.to_string()), block.into()));
        self
    }
}

impl Join {
    pub(crate) fn op(self) -> Op {
        match self {
            Self::Sum => Op::Add,
            Self::Concat => Op::Concat,
        }
    }
}
