//! `chain`: blocks one after the other.

use super::{Architecture, Block, ops};
use crate::initialisation::Scheme;
use crate::op::Op;
use crate::shape::Pair;

/// Blocks one after the other. Empty, it is the identity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    pub(crate) steps: Vec<Step>,
    numbered: bool,
}

/// One step of a chain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// The chain's value goes through the block.
    Through { label: Option<String>, block: Block },
    /// The block reads the chain's value and ends in an auxiliary output; the chain goes on with its own value.
    Tap { label: String, loss_weight: f64, head: Block },
}

/// The empty chain: start of every definition, and the identity where a branch does nothing.
pub fn chain() -> Chain {
    Chain::default()
}

impl Chain {
    /// From here on every unlabelled item is labelled with its position, counting all items of this chain.
    pub fn numbered(self) -> Self {
        Self { numbered: true, ..self }
    }

    /// Goes on with `block` under the segment `label`.
    pub fn then(self, label: impl ToString, block: impl Into<Block>) -> Self {
        self.step(Step::Through { label: Some(label.to_string()), block: block.into() })
    }

    /// Goes on with `block`, unlabelled.
    pub fn and(self, block: impl Into<Block>) -> Self {
        let label = self.numbered.then(|| self.steps.len().to_string());
        self.step(Step::Through { label, block: block.into() })
    }

    /// Goes on with every block of `blocks`, unlabelled.
    pub fn and_all<B: Into<Block>>(self, blocks: impl IntoIterator<Item = B>) -> Self {
        blocks.into_iter().fold(self, Self::and)
    }

    /// Lets an auxiliary `head` read the value at this point. `loss_weight` is the weight its source gives its loss.
    pub fn tap(self, label: impl ToString, loss_weight: f64, head: impl Into<Block>) -> Self {
        self.step(Step::Tap { label: label.to_string(), loss_weight, head: head.into() })
    }

    /// Goes on with [`Op::Relu`].
    pub fn relu(self) -> Self {
        self.and(Op::Relu)
    }

    /// Goes on with [`Op::Sigmoid`].
    pub fn sigmoid(self) -> Self {
        self.and(Op::Sigmoid)
    }

    /// Goes on with [`Op::Softmax`].
    pub fn softmax(self) -> Self {
        self.and(Op::Softmax)
    }

    /// Goes on with [`Op::Flatten`].
    pub fn flatten(self) -> Self {
        self.and(Op::Flatten)
    }

    /// Goes on with [`Op::Dropout`].
    pub fn dropout(self, rate: f64) -> Self {
        self.and(Op::Dropout { rate })
    }

    /// Goes on with the mean over each whole map, as a vector: the labels of a pooling and of a flattening operation.
    pub fn global_avg_pool(self) -> Self {
        self.and(ops::adaptive_avg_pool(Pair::from(1))).flatten()
    }

    /// The architecture of this name whose source uses inputs of `usual_input` = `[C, H, W]`.
    pub fn named(self, name: impl Into<String>, usual_input: [usize; 3]) -> Architecture {
        let name = name.into();
        Architecture { name, usual_input, body: self, scheme: Scheme::TORCH, heads: true, dropout: true, up_to: None }
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}
