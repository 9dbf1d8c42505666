//! Concatenation without a copy: each branch writes directly to its channels of the result.
//!
//! A concatenation whose inputs all come from stores of their own, in whole blocks of channels, becomes one store, its
//! *root*; each input's store becomes some channels of it. One inside another shares the outer one's root, as do the
//! ever longer ones of a dense block.

use cnn_kernels::LANES;
use cnn_network::{Network, Op};

/// Where a node writes: some channels of the store of a concatenation, which is named by its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) root: usize,
    pub(crate) channel: usize,
}

/// For each node the home of what it stores, or for a concatenation of what it shows; `None` for a store of its own,
/// and for concatenations that must copy.
pub(crate) fn homes(network: &Network, needed: &[bool], training: bool) -> Vec<Option<Home>> {
    homes_by(network, needed, |node| origin(network, node, training))
}

/// The same where `origin` says for a node which node's store its value is read from; `None` if it must be copied.
pub(crate) fn homes_by(
    network: &Network,
    needed: &[bool],
    origin: impl Fn(usize) -> Option<usize>,
) -> Vec<Option<Home>> {
    let nodes = network.nodes();
    let mut homes: Vec<Option<Home>> = vec![None; nodes.len()];
    for (id, node) in nodes.iter().enumerate().rev().filter(|(id, node)| needed[*id] && node.op == Op::Concat) {
        let base = homes[id].unwrap_or(Home { root: id, channel: 0 });
        let origins: Vec<Option<usize>> = node.inputs.iter().map(|input| origin(input.index())).collect();
        let channels = node.inputs.iter().map(|input| network.node(*input).shape.channels());
        let places: Vec<usize> = starts(channels.clone()).map(|start| base.channel + start).collect();
        // Already side by side, as part of a longer concatenation.
        let first = origins[0].and_then(|origin| homes[origin]);
        let side_by_side = first.is_some_and(|first| {
            origins.iter().zip(&places).all(|(origin, place)| {
                let expected = Home { root: first.root, channel: first.channel + place - base.channel };
                origin.is_some_and(|origin| homes[origin] == Some(expected))
            })
        });
        if side_by_side && homes[id].is_none() {
            homes[id] = first;
            continue;
        }
        let last = places.len() - 1;
        let own_root = homes[id].is_none();
        let whole = channels.enumerate().all(|(i, channels)| channels % LANES == 0 || (own_root && i == last));
        let distinct = origins.iter().enumerate().all(|(i, origin)| !origins[..i].contains(origin));
        let free = origins.iter().all(|origin| origin.is_some_and(|origin| homes[origin].is_none() && origin != 0));
        if whole && distinct && free {
            homes[id] = Some(base);
            for (origin, channel) in origins.into_iter().flatten().zip(places) {
                homes[origin] = Some(Home { root: base.root, channel });
            }
        } else if !own_root {
            // It copies to where the outer concatenation wants it.
            homes[id] = Some(base);
        }
    }
    homes
}

/// The node whose store a value is read from, where only one scale and shift and then floors lie between.
fn origin(network: &Network, mut id: usize, training: bool) -> Option<usize> {
    let mut scaled = false;
    loop {
        let node = &network.nodes()[id];
        match &node.op {
            Op::Relu if !scaled => {}
            Op::Dropout { rate } if !training || *rate == 0.0 => {}
            Op::BatchNorm(_) | Op::Scale { .. } | Op::ChannelAffine { .. } | Op::InputAffine { .. } if !scaled => {
                scaled = true;
            }
            Op::Relu | Op::BatchNorm(_) | Op::Scale { .. } | Op::ChannelAffine { .. } | Op::InputAffine { .. } => {
                return None;
            }
            Op::Flatten => return None,
            _ => return Some(id),
        }
        id = node.inputs[0].index();
    }
}

/// Where each length starts if they are laid end to end.
pub(crate) fn starts(lengths: impl Iterator<Item = usize>) -> impl Iterator<Item = usize> {
    lengths.scan(0, |end, length| {
        let start = *end;
        *end += length;
        Some(start)
    })
}
