//! Whether weights are those of a network.

use crate::error::{Error, Result};
use crate::loading::{Allowed, all, compare};
use crate::text::short;
use crate::weights::Weights;
use cnn_network::Network;
use cnn_network::error::near_names;
use cnn_network::network::NodeId;

impl Weights {
    /// Whether these are the weights of a network: every tensor there, in its shape and of numbers; none too many; and
    /// where they say whose they are, this network's.
    ///
    /// Tensors of auxiliary heads may be there although the network was made without them, and so may torch's
    /// `num_batches_tracked`. Names may be those of [`Weights::load`].
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, by the network's order.
    pub fn check(&self, network: &Network) -> Result<()> {
        self.check_for(network, &all(network))
    }

    /// [`Weights::check`] where only some nodes are to be computed: tensors that they do not need may be missing.
    ///
    /// # Errors
    ///
    /// As [`Weights::check`]; nodes of another network.
    pub fn check_for(&self, network: &Network, targets: &[NodeId]) -> Result<()> {
        self.for_nodes(network, targets).map(drop)
    }

    /// [`Weights::for_network`] where only some nodes are to be computed: tensors that they do not need may be missing.
    ///
    /// # Errors
    ///
    /// As [`Weights::for_network`]; nodes of another network.
    pub fn for_nodes(&self, network: &Network, targets: &[NodeId]) -> Result<Self> {
        compare(self, network, targets, Allowed::default())?.weights()
    }

    pub(crate) fn missing(&self, network: &Network, name: &str) -> Error {
        let spec = network.tensors().find(|spec| spec.name == name);
        let near = near_names(name, self.iter().map(|(name, _)| name).filter(|name| network.tensor(name).is_none()));
        cnn_network::Error::MissingTensor {
            network: network.name().to_string(),
            name: name.to_string(),
            expected: spec.map_or(Vec::new(), |spec| spec.dims.clone()),
            near: near.iter().map(|name| short(name)).collect(),
        }
        .into()
    }
}
