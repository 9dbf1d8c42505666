//! Weights as the beginning of another training.

use crate::error::Result;
use crate::loading::{Allowed, Loading};
use crate::tensor::Tensor;
use crate::weights::Weights;
use cnn_network::Network;

/// Where a network's training begins, if not freshly initialised.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The tensors that are taken over.
    pub weights: Weights,
    /// The tensors that are initialised instead: those of a last layer for another number of classes, and of heads that
    /// the weights lack.
    pub anew: Vec<String>,
}

impl Weights {
    /// These weights as a start for training `network`, which may have another number of classes.
    ///
    /// What is initialised instead of taken over: the layers that make the class scores (the last layer with
    /// weights before an output), where their number of outputs differs, and auxiliary heads that the weights lack.
    /// Everything else must fit.
    ///
    /// # Errors
    ///
    /// Any other tensor that is missing or has another shape, weights of another network, numbers that are not finite.
    pub fn start(&self, network: &Network) -> Result<Start> {
        self.load(network, Allowed::START)?.start(network)
    }
}

impl Loading {
    /// What was taken as a start for training the network that the weights were compared with, the numbers in memory.
    ///
    /// # Errors
    ///
    /// As [`Loading::weights`]; numbers that cannot be read, or are not finite.
    pub fn start(self, network: &Network) -> Result<Start> {
        let anew = self.anew().to_vec();
        let taken = self.weights()?;
        let mut weights = Weights::new().from_source(taken.source().to_string());
        for spec in network.tensors().filter(|spec| taken.get(&spec.name).is_some()) {
            let values = taken.numbers_of::<f32>(network, &spec.name)?.into_owned();
            weights.insert(spec.name.clone(), Tensor::new(&spec.name, &spec.dims, values)?);
        }
        Ok(Start { weights, anew })
    }
}
