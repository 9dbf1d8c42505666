//! A network's tensors under the names that other libraries give them.

use super::layers::maps_before;
use super::names::TIMM_VGG;
use crate::error::Result;
use crate::weights::Weights;
use cnn_network::{Network, Op};

/// Whose names a file's tensors have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Naming {
    /// This project's: torchvision's where torchvision has the network, timm's where only timm has it.
    #[default]
    Ours,
    /// torchvision's.
    Torchvision,
    /// timm's: they are torchvision's but for VGG, whose linear layers are convolutions there.
    Timm,
}

impl Weights {
    /// A network's weights under the names that a library gives them, in the shapes it gives them. A network that the
    /// library lacks keeps this project's names.
    ///
    /// # Errors
    ///
    /// As [`Weights::for_network`], but auxiliary heads may be missing.
    pub fn named(&self, network: &Network, naming: Naming) -> Result<Self> {
        let main = network.outputs()[0].node;
        let own = self.for_nodes(network, &[main])?;
        let vgg = (naming == Naming::Timm).then(|| vgg_maps(network)).flatten();
        let Some(maps) = vgg else { return Ok(own) };
        let mut named = own.clone();
        for (timm, ours) in TIMM_VGG {
            for part in ["weight", "bias"] {
                let Some(tensor) = named.remove(&format!("{ours}.{part}")) else { continue };
                let tensor = match (ours, part) {
                    ("classifier.0", "weight") => tensor.reshaped(ours, &[&tensor.dims()[..1], &maps[..]].concat())?,
                    ("classifier.3", "weight") => tensor.reshaped(ours, &[tensor.dims(), &[1, 1]].concat())?,
                    _ => tensor,
                };
                named.insert(format!("{timm}.{part}"), tensor);
            }
        }
        Ok(named)
    }
}

/// The feature maps that the linear layers of a VGG see, if the network ends as one.
fn vgg_maps(network: &Network) -> Option<Vec<usize>> {
    let layers = TIMM_VGG.map(|(_, ours)| network.node_at(ours).ok().filter(|node| matches!(node.op, Op::Linear(_))));
    let [Some(first), Some(_), Some(_)] = layers else { return None };
    maps_before(network, first).map(|maps| maps.dims())
}
