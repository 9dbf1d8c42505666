//! Weights of a deeper network of the same family: they have every tensor that is asked for, and go on behind the last.

use crate::network::Network;
use candle_nn::VarBuilder;
use std::collections::BTreeSet;

/// A name that no file has.
const NOWHERE: &str = "no tensor has this name";

/// The first tensor of `vb` whose number follows that of a tensor of the network, and that is not the network's.
pub(super) fn next_sibling(network: &Network, vb: &VarBuilder<'_>) -> Option<String> {
    // Some builders, such as that of zeros, have whatever they are asked for.
    if vb.contains_tensor(NOWHERE) {
        return None;
    }
    let known: BTreeSet<&str> = network.tensors().map(|spec| spec.name.as_str()).collect();
    let siblings = known.iter().flat_map(|name| {
        let segments: Vec<&str> = name.split('.').collect();
        let next = |at: usize| {
            let number = segments[at].parse::<usize>().ok()?.checked_add(1)?.to_string();
            let mut next = segments.clone();
            next[at] = &number;
            Some(next.join("."))
        };
        (0..segments.len()).filter_map(next).collect::<Vec<_>>()
    });
    let mut siblings = siblings.filter(|name| !known.contains(name.as_str()));
    siblings.find(|name| vb.contains_tensor(name))
}
