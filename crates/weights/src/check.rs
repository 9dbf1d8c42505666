//! Whether weights are those of a network.

use crate::error::{Error, Result};
use crate::weights::Weights;
use cnn_network::error::near_names;
use cnn_network::network::NodeId;
use cnn_network::tensors::TensorSpec;
use cnn_network::{Network, Op};
use std::collections::BTreeSet;

/// torch counts the batches a normalisation has seen; nothing here does.
const COUNTER: &str = "num_batches_tracked";

impl Weights {
    /// Whether these are the weights of a network: every tensor there, in its shape and of numbers; none too many; and
    /// where they say whose they are, this network's.
    ///
    /// Tensors of auxiliary heads may be there although the network was made without them, and so may torch's
    /// `num_batches_tracked`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, by the network's order.
    pub fn check(&self, network: &Network) -> Result<()> {
        self.check_for(network, &network.outputs().iter().map(|output| output.node).collect::<Vec<_>>())
    }

    /// [`Weights::check`] where only some nodes are to be computed: tensors that they do not need may be missing.
    ///
    /// # Errors
    ///
    /// As [`Weights::check`].
    pub fn check_for(&self, network: &Network, targets: &[NodeId]) -> Result<()> {
        self.check_name(network)?;
        let needed = network.needed_for(targets);
        for (node, needed) in network.nodes().iter().zip(needed) {
            for spec in &node.tensors {
                match self.get(&spec.name) {
                    None if needed => return Err(self.missing(network, &spec.name)),
                    None => {}
                    Some(_) => self.check_shape(network, spec)?,
                }
            }
        }
        let surplus = self.surplus(network);
        match surplus.first() {
            None => Ok(()),
            Some(first) => Err(cnn_network::Error::SurplusTensors {
                network: network.name().to_string(),
                count: surplus.len(),
                first: (*first).to_string(),
            }
            .into()),
        }
    }

    /// The tensors a network has no use for, by name: they are another network's.
    pub(crate) fn surplus(&self, network: &Network) -> Vec<&str> {
        let known: BTreeSet<&str> = network.tensors().map(|spec| spec.name.as_str()).collect();
        let of_head = |name: &str| {
            let mut heads = network.left_out_heads().iter();
            heads.any(|head| name.strip_prefix(head.as_str()).is_some_and(|rest| rest.starts_with('.')))
        };
        let counts = |name: &str| name.rsplit('.').next() == Some(COUNTER) && counted(network, name);
        let names = self.iter().map(|(name, _)| name);
        names.filter(|name| !known.contains(name) && !of_head(name) && !counts(name)).collect()
    }

    pub(crate) fn check_name(&self, network: &Network) -> Result<()> {
        match self.network().filter(|found| found != network.name()) {
            None => Ok(()),
            Some(found) => {
                let (weights, network) = (self.source().to_string(), network.name().to_string());
                Err(Error::OtherNetwork { weights, network, found })
            }
        }
    }

    pub(crate) fn check_shape(&self, network: &Network, spec: &TensorSpec) -> Result<()> {
        let Some(tensor) = self.get(&spec.name) else { return Err(self.missing(network, &spec.name)) };
        if tensor.dims() != spec.dims {
            return Err(cnn_network::Error::TensorShape {
                network: network.name().to_string(),
                name: spec.name.clone(),
                expected: spec.dims.clone(),
                found: tensor.dims().to_vec(),
            }
            .into());
        }
        if !tensor.holds_numbers() {
            // Reading them says of what type they are.
            tensor.numbers::<f32>(&spec.name)?;
        }
        Ok(())
    }

    pub(crate) fn missing(&self, network: &Network, name: &str) -> Error {
        let spec = network.tensors().find(|spec| spec.name == name);
        let surplus = self.surplus(network);
        cnn_network::Error::MissingTensor {
            network: network.name().to_string(),
            name: name.to_string(),
            expected: spec.map_or(Vec::new(), |spec| spec.dims.clone()),
            near: near_names(name, surplus),
        }
        .into()
    }
}

/// Whether a counter belongs to a batch normalisation of the network.
fn counted(network: &Network, name: &str) -> bool {
    let path = name.strip_suffix(COUNTER).and_then(|path| path.strip_suffix('.')).unwrap_or_default();
    network.nodes().iter().any(|node| node.path == path && matches!(node.op, Op::BatchNorm(_)))
}
