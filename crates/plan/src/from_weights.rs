//! From a network's weights to parameters, and back.

use crate::error::Result;
use crate::instances::Real;
use crate::parameters::Parameters;
use cnn_network::Network;
use cnn_network::network::NodeId;
use cnn_weights::Weights;

impl<T: Real> Parameters<T> {
    /// The numbers of a network's weights.
    ///
    /// # Errors
    ///
    /// Weights that are not this network's: a tensor missing, surplus or of another shape; numbers that are not finite.
    pub fn new(network: &Network, weights: &Weights) -> Result<Self> {
        let all: Vec<NodeId> = network.outputs().iter().map(|output| output.node).collect();
        Self::for_nodes(network, weights, &all)
    }

    /// The numbers that some nodes need; others may be missing, and are left out where they are not.
    ///
    /// # Errors
    ///
    /// As [`Parameters::new`].
    pub fn for_nodes(network: &Network, weights: &Weights, nodes: &[NodeId]) -> Result<Self> {
        T::plan_parameters(network, weights, nodes)
    }

    /// The numbers as named tensors.
    ///
    /// # Panics
    ///
    /// Where they are another network's, by the number or the sizes of its tensors.
    pub fn to_weights(&self, network: &Network) -> Weights {
        T::plan_weights(self, network)
    }
}
