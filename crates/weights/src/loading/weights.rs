//! The comparison as a function of weights.

use super::{Allowed, Loading, Sizes, all, compare};
use crate::error::Result;
use crate::weights::Weights;
use cnn_network::network::NodeId;
use cnn_network::{Architecture, Network};

impl Weights {
    /// Compares these weights with a network, tensor by tensor. What is wrong is in the result, and an error only once
    /// [`Loading::weights`] are asked for.
    ///
    /// Names need not be the network's own: `module.` and `_orig_mod.` are passed over wherever they stand, and so is a
    /// name before all others that the network lacks (`model.`). Names that timm and earlier versions of torchvision use
    /// are known. Where two tensors of the file would be the same one of the network, neither is taken.
    ///
    /// # Errors
    ///
    /// One of the network's tensors that is not of floating-point numbers; a first layer for another number of input
    /// channels whose numbers cannot be read.
    pub fn load(&self, network: &Network, allowed: Allowed) -> Result<Loading> {
        compare(self, network, &all(network), allowed)
    }

    /// [`Weights::load`] where only some nodes are to be computed: tensors that they do not need may be missing.
    ///
    /// # Errors
    ///
    /// As [`Weights::load`].
    pub fn load_for(&self, network: &Network, targets: &[NodeId], allowed: Allowed) -> Result<Loading> {
        compare(self, network, targets, allowed)
    }

    /// The number of classes and of input channels that these weights of an architecture are for, whatever its own: see
    /// [`Loading::classes`] and [`Loading::channels`].
    ///
    /// # Errors
    ///
    /// An architecture that cannot be elaborated at its usual input.
    pub fn sizes(&self, architecture: &Architecture) -> Result<Sizes> {
        let loading = self.load(&architecture.at_usual_input()?, Allowed::default())?;
        let believed = |size: &usize| (1..=Sizes::MOST).contains(size);
        Ok(Sizes { classes: loading.classes.filter(believed), channels: loading.channels.filter(believed) })
    }

    /// These weights under a network's names, and nothing else. What reads weights for a network takes these.
    ///
    /// # Errors
    ///
    /// Where these are not the network's weights: the first thing that is wrong, as in [`Loading::weights`].
    pub fn for_network(&self, network: &Network) -> Result<Self> {
        self.load(network, Allowed::default())?.weights()
    }
}
