//! A network's tensors, asked for one by one, and their checksums.

use crate::error::{Error, Result};
use cnn_kernels::mapped::bytes;
use cnn_network::Network;
use cnn_weights::Weights;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A network's tensors, asked for one by one: those of a file are in memory only as long as they are packed.
pub(super) struct Numbers<'w> {
    weights: &'w Weights,
    /// A checksum of each tensor that was asked for.
    sums: BTreeMap<String, u32>,
}

impl<'w> Numbers<'w> {
    pub(super) fn new(weights: &'w Weights) -> Self {
        Self { weights, sums: BTreeMap::new() }
    }

    /// The numbers of a tensor.
    pub(super) fn numbers(&mut self, network: &Network, name: &str) -> Result<Cow<'w, [f32]>> {
        let numbers = self.weights.numbers_of::<f32>(network, name)?;
        if !self.sums.contains_key(name) {
            self.sums.insert(name.to_string(), sum(name, &numbers));
        }
        Ok(numbers)
    }

    /// The numbers of a tensor, at most so many at a time.
    pub(super) fn in_parts(
        &mut self,
        network: &Network,
        name: &str,
        count: usize,
        mut visit: impl FnMut(&[f32]) -> Result<()>,
    ) -> Result<()> {
        let mut hasher = hasher(name);
        self.weights.parts_of::<f32, Error>(network, name, count, |numbers| {
            hasher.update(bytes(numbers));
            visit(numbers)
        })?;
        self.sums.insert(name.to_string(), hasher.finalize());
        Ok(())
    }

    /// The checksums of the tensors that were asked for, by name.
    pub(super) fn sums(&self) -> &BTreeMap<String, u32> {
        &self.sums
    }

    /// A checksum of all tensors that were asked for.
    pub(super) fn sum(&self) -> u64 {
        self.sums.values().fold(0, |all, own| all.wrapping_add(u64::from(*own)))
    }
}

/// The tensors that some nodes need, read for their checksums.
pub(super) fn read<'w>(network: &Network, weights: &'w Weights, needed: &[bool]) -> Result<Numbers<'w>> {
    let mut numbers = Numbers::new(weights);
    for (node, _) in network.nodes().iter().zip(needed).filter(|(_, needed)| **needed) {
        for spec in &node.tensors {
            numbers.numbers(network, &spec.name)?;
        }
    }
    Ok(numbers)
}

fn hasher(name: &str) -> crc32fast::Hasher {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(name.as_bytes());
    hasher
}

fn sum(name: &str, numbers: &[f32]) -> u32 {
    let mut hasher = hasher(name);
    hasher.update(bytes(numbers));
    hasher.finalize()
}
