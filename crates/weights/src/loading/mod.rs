//! How weights fit a network: one comparison, which checks, reports, starts and conversions read.

mod compare;
mod layers;
mod names;
mod naming;
mod report;
mod shapes;
mod weights;

pub use naming::Naming;

use crate::error::{Error, Result};
use crate::text::short;
use crate::weights::Weights;
use cnn_network::Network;
use cnn_network::error::near_names;
use cnn_network::network::NodeId;

/// What may differ between weights and the network they are given to. Nothing may, unless it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Another number of classes: the layers that make the scores begin anew, where their number of outputs differs.
    pub classes: bool,
    /// No auxiliary heads in the weights: those of the network begin anew.
    pub heads: bool,
    /// One input channel for three, or three for one: the first layer's weights are repeated and divided by three, or
    /// summed, so that a grey picture gives what it gave as a colour picture of equal channels.
    pub channels: bool,
}

impl Allowed {
    /// What may differ where another training begins: see [`Weights::start`].
    pub const START: Self = Self { classes: true, heads: true, channels: false };
}

/// What became of a network's tensors and of a file's, made by [`Weights::load`].
///
/// Written out, it is a report of a few lines. [`Loading::weights`] are the network's tensors under the network's names,
/// or the first thing that is wrong.
#[derive(Clone, Debug)]
pub struct Loading {
    network: String,
    other_network: Option<String>,
    form: String,
    /// What was taken, under the network's names.
    weights: Weights,
    expected: usize,
    renamed: Vec<Renamed>,
    reshaped: Vec<String>,
    channels_changed: Option<[usize; 2]>,
    anew: Vec<String>,
    anew_classes: Option<[usize; 2]>,
    missing: Vec<Listed>,
    unexpected: Vec<Listed>,
    misshapen: Vec<Misshapen>,
    twice: Vec<Twice>,
    left_out_heads: Vec<String>,
    passed_over: usize,
    classes: Option<usize>,
    channels: Option<usize>,
}

impl Sizes {
    /// The most classes, and the most input channels, that a file of weights is believed to be for.
    pub const MOST: usize = 100_000;
}

/// What weights are for, where their shapes tell what can be meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Outputs of the layer that makes the scores.
    pub classes: Option<usize>,
    /// Inputs of the first convolution.
    pub channels: Option<usize>,
}

/// Tensors that are the network's under another name, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// What was done to the names: `without module.`.
    pub how: String,
    /// How many tensors.
    pub count: usize,
    /// The first one's name in the file.
    pub from: String,
    /// Its name in the network.
    pub to: String,
}

/// A tensor's name and dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub dims: Vec<usize>,
}

/// A tensor of another shape than the network's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// Its name in the network.
    pub name: String,
    /// The dimensions it should have.
    pub expected: Vec<usize>,
    /// The dimensions it has.
    pub found: Vec<usize>,
}

/// Two tensors of the file that would be the same one of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Twice {
    name: String,
    first: String,
    second: String,
}

/// The nodes of all outputs.
pub(crate) fn all(network: &Network) -> Vec<NodeId> {
    network.outputs().iter().map(|output| output.node).collect()
}

pub(crate) use compare::compare;

impl Loading {
    /// The network's tensors under the network's names. Those that [`Loading::anew`] names are left out.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, by the network's order: weights that say they are of another network; a tensor
    /// missing, misshapen or there twice; one too many.
    pub fn weights(self) -> Result<Weights> {
        match self.problem() {
            None => Ok(self.weights),
            Some(problem) => Err(problem),
        }
    }

    /// The first thing that is wrong, if anything is.
    pub fn problem(&self) -> Option<Error> {
        let (weights, network) = (self.weights.source().to_string(), self.network.clone());
        if let Some(found) = self.other_network.clone() {
            return Some(Error::OtherNetwork { weights, network, found: short(&found) });
        }
        if let Some(Twice { name, first, second }) = self.twice.first().cloned() {
            return Some(Error::Twice { weights, name, first: short(&first), second: short(&second) });
        }
        let error = if let Some(Misshapen { name, expected, found }) = self.misshapen.first().cloned() {
            cnn_network::Error::TensorShape { network, name, expected, found }
        } else if let Some(Listed { name, dims: expected }) = self.missing.first().cloned() {
            let near = near_names(&name, self.unexpected.iter().map(|listed| listed.name.as_str()));
            let near = near.iter().map(|name| short(name)).collect();
            cnn_network::Error::MissingTensor { network, name, expected, near }
        } else {
            let first = short(&self.unexpected.first()?.name);
            cnn_network::Error::SurplusTensors { network, count: self.unexpected.len(), first }
        };
        Some(error.into())
    }

    /// How many of the network's tensors were taken, and how many it has.
    pub fn taken(&self) -> [usize; 2] {
        [self.weights.len(), self.expected]
    }

    /// Tensors that have other names in the file, one entry for each reason.
    pub fn renamed(&self) -> &[Renamed] {
        &self.renamed
    }

    /// The network's tensors that the file lacks.
    pub fn missing(&self) -> &[Listed] {
        &self.missing
    }

    /// The file's tensors that the network has no use for, under their names in the file.
    pub fn unexpected(&self) -> &[Listed] {
        &self.unexpected
    }

    /// Tensors of another shape.
    pub fn misshapen(&self) -> &[Misshapen] {
        &self.misshapen
    }

    /// The network's tensors that are allowed to begin anew, and have to: of layers that make scores for another number
    /// of classes, of auxiliary heads that the file lacks.
    pub fn anew(&self) -> &[String] {
        &self.anew
    }

    /// Auxiliary heads that the file has, and the network was made without.
    pub fn left_out_heads(&self) -> &[String] {
        &self.left_out_heads
    }

    /// The number of classes that the file's weights are for: the outputs of the layer that makes the scores, whatever
    /// the network's own number. None where the file has no such layer.
    pub fn classes(&self) -> Option<usize> {
        self.classes
    }

    /// The number of input channels that the file's weights are for: the inputs of the first convolution. None where the
    /// file has none, or the network begins with another layer.
    pub fn channels(&self) -> Option<usize> {
        self.channels
    }
}
