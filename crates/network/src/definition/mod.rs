//! The definition language: an architecture as a plain value.
//!
//! Three combinators compose operations: [`chain`] runs blocks one after the other, [`sum`] and [`concat()`] run them
//! side by side on the same input and join what comes out. [`Chain::tap`] hangs an auxiliary head on a chain. That
//! covers every network of the sources, because all of them are series-parallel.
//!
//! A definition is total: it names no device, holds no tensor, does no shape arithmetic and cannot fail. Input
//! channels and sizes are inferred, and mistakes reported, by [`Architecture::at`]. An architecture can be a block of
//! another one, whole or [up to a node](Architecture::up_to).
//!
//! # Names
//!
//! Labels make the path of a node, and the node's path the names of its tensors: `layer1.0.conv1.weight`. An
//! unlabelled chain or branch adds no segment. [`Chain::numbered`] gives every item its position for a label. An
//! unlabelled operation is named after what it does, counted within the enclosing path: `relu`, `relu_1`, `add`. The
//! path of a labelled chain, sum or concat names its last output.

mod branches;
mod catalogue;
mod chain;
mod ops;

pub use branches::{Branches, Join, concat, sum};
pub use catalogue::{Catalogue, Definition, Listing, Paper};
pub(crate) use chain::Step;
pub use chain::{Chain, chain};
pub use ops::*;

use crate::initialisation::Scheme;
use crate::op::Op;

/// A piece of a network with one input and one output.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Block {
    /// A single operation.
    Op(Op),
    /// Blocks one after the other; the empty chain is the identity.
    Chain(Chain),
    /// Blocks side by side.
    Branches(Branches),
    /// A network as a piece of another. It keeps its own laws of initialisation.
    Architecture(Box<Architecture>),
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

impl From<Architecture> for Block {
    fn from(architecture: Architecture) -> Self {
        Self::Architecture(Box::new(architecture))
    }
}

/// A whole network as a value: name, usual input, body and initialisation.
///
/// Made by [`Chain::named`]; brought to an input size by [`Architecture::at`].
///
/// It is a block, too: the backbone of another network. With a label its paths stand behind the label; without one
/// ([`Chain::and`]) they stay as they are, so that files of weights still fit.
///
/// ```
/// use cnn_network::definition::*;
///
/// let classifier = chain()
///     .then("conv1", conv(3).out(8).stride(2).pad(1))
///     .then("layer1", chain().then("conv", conv(3).out(16).pad(1)).relu())
///     .global_avg_pool()
///     .then("fc", linear(10))
///     .named("classifier", [3, 32, 32]);
/// let detector = chain()
///     .then("backbone", classifier.up_to("layer1"))
///     .then("boxes", conv(1).out(4))
///     .named("detector", [3, 64, 64]);
/// let network = detector.at_usual_input()?;
/// let names: Vec<&str> = network.tensors().map(|tensor| tensor.name.as_str()).collect();
/// assert_eq!(names[2..], ["backbone.layer1.conv.weight", "backbone.layer1.conv.bias", "boxes.weight", "boxes.bias"]);
/// assert_eq!(network.output().shape.dims(), [4, 32, 32]);
/// # Ok::<(), cnn_network::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    pub(crate) name: String,
    pub(crate) usual_input: [usize; 3],
    pub(crate) body: Chain,
    pub(crate) scheme: Scheme,
    pub(crate) heads: bool,
    pub(crate) dropout: bool,
    /// The path of the node whose value comes out, if it is not the last.
    pub(crate) up_to: Option<String>,
}

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

    /// The same network, ending in the value of the node at `path`, an operation's or a labelled chain's: `layer4` of a
    /// ResNet for its last maps. Heads behind it are left off.
    ///
    /// [`Architecture::at`] refuses a path that does not exist, and one inside a branch or a head, where the network has
    /// more than this one value.
    pub fn up_to(self, path: impl Into<String>) -> Self {
        let whole = Self { body: Chain::default(), ..self.clone() };
        Self { body: chain().and(Self { up_to: Some(path.into()), ..self }), ..whole }
    }

    /// The same network giving probabilities: a softmax after the last operation.
    pub fn with_softmax(self) -> Self {
        Self { body: self.body.softmax(), ..self }
    }
}
