//! Where a plan's numbers come from: a network's tensors, or a file of a plan that was made before.

use super::file::Saved;
use super::fold::Mapping;
use super::numbers::Numbers;
use crate::error::{Error, Result};
use cnn_kernels::LANES;
use cnn_kernels::inference::{Affine, Packed, Refused};
use cnn_network::Network;

/// Where numbers come from.
pub(super) enum Source<'s> {
    Weights(Numbers<'s>),
    File(&'s mut Saved),
}

impl Source<'_> {
    /// The map of a value.
    pub(super) fn map(&mut self, network: &Network, map: &Mapping, channels: usize) -> Result<Option<Affine>> {
        match self {
            Self::Weights(numbers) => map.affine(network, channels, numbers),
            Self::File(_) if map.is_none() => Ok(None),
            Self::File(saved) => {
                let mut next = || saved.next().map(|numbers| numbers.get().to_vec());
                let map = Affine { scale: next()?, shift: next()?, floor: next()? };
                let padded = channels.next_multiple_of(LANES);
                match [&map.scale, &map.shift, &map.floor].iter().all(|entries| entries.len() == padded) {
                    true => Ok(Some(map)),
                    false => Err(saved.damaged()),
                }
            }
        }
    }

    /// The packed weights of a step; `pack` says how they are made.
    pub(super) fn packed(&mut self, pack: impl FnOnce(&mut Numbers<'_>) -> Result<Packed>) -> Result<Packed> {
        match self {
            Self::Weights(numbers) => pack(numbers),
            Self::File(saved) => Ok(Packed { weights: saved.next()?, bias: saved.next()? }),
        }
    }
}

/// An error of a step.
pub(super) fn refused(path: &str, why: &Refused) -> Error {
    Error::Refused { path: path.to_string(), why: why.to_string() }
}
