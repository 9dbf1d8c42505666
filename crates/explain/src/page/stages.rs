//! The stages of a network, and which of their nodes show what they make of a picture.

use super::MOST_NODES;
use cnn_network::Network;
use cnn_network::network::NodeId;
use cnn_network::op::Kind;
use cnn_network::outline::{Part, Stage};

/// A piece of a stage.
pub(crate) struct Unit {
    pub(super) parts: Vec<Part>,
    /// For branches and what follows them element by element, the part of the path that all of them share.
    pub(super) label: Option<String>,
    /// The label of an earlier unit of the stage that computes the same.
    pub(super) repeats: Option<String>,
}

/// A network as it is shown.
pub(crate) struct Stages {
    pub(super) stages: Vec<(Stage, Vec<Unit>)>,
    /// Whether all of its numbers fit into a page.
    pub(crate) small: bool,
    /// The nodes whose maps are shown.
    pub(crate) shown: Vec<NodeId>,
}

impl Stages {
    pub(crate) fn of(network: &Network) -> Self {
        let with_units = |stage: Stage| {
            let units = units(network, &stage);
            (stage, units)
        };
        let stages: Vec<_> = network.outline().stages.into_iter().map(with_units).collect();
        let small = super::arithmetic::is_small(network);
        let shown = shown(network, &stages, small);
        Self { stages, small, shown }
    }
}

/// The pieces of a stage: branches go together with what follows them element by element.
fn units(network: &Network, stage: &Stage) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut seen: Vec<(String, String)> = Vec::new();
    for part in &stage.parts {
        let fork = matches!(part, Part::Fork { .. });
        match units.last_mut() {
            Some(last) if !fork && (last.label.is_none() || elementwise(network, part.output())) => {
                last.parts.push(part.clone());
            }
            _ => units.push(Unit { parts: vec![part.clone()], label: fork.then(String::new), repeats: None }),
        }
    }
    let forks = units.iter().filter(|unit| unit.label.is_some()).count();
    for (number, unit) in units.iter_mut().enumerate().filter(|(_, unit)| unit.label.is_some()) {
        // What joins the branches may lie higher.
        let inside = unit.parts.first().map(within).unwrap_or_default();
        let label = shared(inside.iter().map(|id| network.node(*id).path.as_str()));
        let own = !label.is_empty() && label != stage.label;
        let label = if own { label } else { format!("unit {}", number + 1) };
        // A dense block's maps grow from unit to unit; what is done to them stays the same.
        let summary = |id: &NodeId| {
            let node = network.node(*id);
            format!("{:?} {:?}", node.op, node.shape.size())
        };
        let signature: Vec<String> = ids(&unit.parts).iter().map(summary).collect();
        let signature = signature.join("\n");
        unit.repeats = seen.iter().find(|(known, _)| *known == signature).map(|(_, first)| first.clone());
        if unit.repeats.is_none() {
            seen.push((signature, label.clone()));
        }
        // A single unit that is all of the stage needs no fold of its own.
        unit.label = (own || forks > 1).then_some(label);
    }
    units
}

/// The nodes of branches, without what joins them.
fn within(part: &Part) -> Vec<NodeId> {
    match part {
        Part::Fork { branches, .. } => ids(&branches.concat()),
        other => vec![other.output()],
    }
}

/// The segments that all paths begin with.
fn shared<'a>(mut paths: impl Iterator<Item = &'a str>) -> String {
    let first: Vec<&str> = paths.next().unwrap_or_default().split('.').collect();
    let own = first.len().saturating_sub(1);
    let length = paths.fold(own, |length, path| {
        let same = first.iter().zip(path.split('.')).take_while(|(a, b)| *a == b).count();
        length.min(same)
    });
    first[..length].join(".")
}

/// The nodes of some parts, ascending.
pub(super) fn ids(parts: &[Part]) -> Vec<NodeId> {
    let mut ids = Vec::new();
    parts.iter().for_each(|part| part.for_each_node(&mut |id| ids.push(id)));
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn elementwise(network: &Network, id: NodeId) -> bool {
    matches!(network.node(id).op.kind(), Kind::Normalisation | Kind::Activation | Kind::Elementwise)
}

/// The nodes whose maps are shown: of a small network all that the scores need; of others the last of each layer with
/// what follows it element by element, and where these are many none of units that repeat others.
fn shown(network: &Network, stages: &[(Stage, Vec<Unit>)], small: bool) -> Vec<NodeId> {
    let needed = network.needed_for(&[network.score_node()]);
    if small {
        return network.ids().filter(|id| needed[id.index()]).collect();
    }
    let mut readers = vec![Vec::new(); network.nodes().len()];
    for id in network.ids().filter(|id| needed[id.index()]) {
        network.node(id).inputs.iter().for_each(|input| readers[input.index()].push(id));
    }
    let last = |id: &NodeId| match readers[id.index()][..] {
        [only] => !elementwise(network, only) && network.node(only).op.kind() != Kind::Layout,
        _ => true,
    };
    let of = |repeats: bool| -> Vec<NodeId> {
        let units = stages.iter().flat_map(|(_, units)| units).filter(|unit| repeats || unit.repeats.is_none());
        let mut ids: Vec<NodeId> = units.flat_map(|unit| ids(&unit.parts)).collect();
        ids.retain(|id| needed[id.index()] && last(id));
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let all = of(true);
    if all.len() <= MOST_NODES { all } else { of(false).into_iter().take(MOST_NODES).collect() }
}
