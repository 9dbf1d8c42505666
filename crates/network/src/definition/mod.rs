//! The definition language: an architecture as a plain value.
//!
//! Three combinators compose operations: [`chain`] runs blocks one after the other, [`sum`] and [`concat()`] run them
//! side by side on the same input and join what comes out. [`Chain::tap`] hangs an auxiliary head on a chain. That
//! covers every network of the sources, because all of them are series-parallel.
//!
//! A definition is total: it names no device, holds no tensor, does no shape arithmetic and cannot fail. Input
//! channels and sizes are inferred, and mistakes reported, by [`Architecture::at`].
//!
//! # Names
//!
//! Labels make the path of a node, and the node's path the names of its tensors: `layer1.0.conv1.weight`. An
//! unlabelled chain or branch adds no segment. [`Chain::numbered`] gives every item its position for a label. An
//! unlabelled operation is named after what it does, counted within the enclosing path: `relu`, `relu_1`, `add`. The
//! path of a labelled chain, sum or concat names its last output.

mod branches;
mod chain;
mod ops;

pub use branches::{Branches, Join, concat, sum};
pub(crate) use chain::Step;
pub use chain::{Chain, chain};
pub use ops::*;

use crate::initialisation::Scheme;
use crate::op::Op;

/// A piece of a network with one input and one output.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A single operation.
    Op(Op),
    /// Blocks one after the other; the empty chain is the identity.
    Chain(Chain),
    /// Blocks side by side.
    Branches(Branches),
}

impl From<Op> for Block {
    fn from(op: Op) -> Self {
        Self::Op(op)
    }
}

impl From<Chain> for Block {
    fn from(chain: Chain) -> Self {
        Self::Chain(chain)
    }
}

impl From<Branches> for Block {
    fn from(branches: Branches) -> Self {
        Self::Branches(branches)
    }
}

/// A whole network as a value: name, usual input, body and initialisation.
///
/// Made by [`Chain::named`]; brought to an input size by [`Architecture::at`].
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    pub(crate) name: String,
    pub(crate) usual_input: [usize; 3],
    pub(crate) body: Chain,
    pub(crate) scheme: Scheme,
    pub(crate) heads: bool,
    pub(crate) dropout: bool,
}

/// A network for any number of classes.
pub type Definition = fn(usize) -> Architecture;

/// What a model crate holds: for each network its name, the number of classes its source uses, and its definition.
pub type Catalogue = &'static [(&'static str, usize, Definition)];

impl Architecture {
    /// The network's name, for example `resnet50`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The input `[C, H, W]` its source uses.
    pub fn usual_input(&self) -> [usize; 3] {
        self.usual_input
    }

    /// The same network, initialised by these laws; without this call, by torch's defaults.
    pub fn initialised(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// The same network under another name.
    pub fn renamed(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The same network without its auxiliary heads, as it is in evaluation.
    pub fn without_heads(self) -> Self {
        Self { heads: false, ..self }
    }

    /// The same network with every dropout rate 0: what training computes becomes comparable.
    pub fn without_dropout(self) -> Self {
        Self { dropout: false, ..self }
    }

    /// The same network giving probabilities: a softmax after the last operation.
    pub fn with_softmax(self) -> Self {
        Self { body: self.body.softmax(), ..self }
    }
}
