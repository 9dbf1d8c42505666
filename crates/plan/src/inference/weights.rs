//! Where a plan's numbers come from.

use crate::error::Result;
use cnn_network::Network;
use cnn_weights::Weights;
use std::borrow::Cow;

/// A network's tensors, asked for one by one: those of a file are in memory only as long as they are packed.
pub(super) struct Numbers<'w> {
    pub(super) weights: &'w Weights,
}

impl<'w> Numbers<'w> {
    /// The numbers of a tensor.
    pub(super) fn numbers(&mut self, network: &Network, name: &str) -> Result<Cow<'w, [f32]>> {
        Ok(self.weights.numbers_of::<f32>(network, name)?)
    }
}
