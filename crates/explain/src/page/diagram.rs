//! The network as one can read it: its stages, folded; in them units and branches; on every node what it costs and what
//! it makes of the first picture.

use super::arithmetic::{Numbers, numbers};
use super::node::{Facts, Shown, node};
use super::sheet::sheet;
use super::{MOST_NODES, PIXELS, Page};
use crate::error::Result;
use crate::explainer::Explainer;
use crate::target::score_node;
use cnn_figures::svg::escaped;
use cnn_figures::{count, percent};
use cnn_network::Network;
use cnn_network::network::NodeId;
use cnn_network::op::Kind;
use cnn_network::outline::{Part, Stage};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A piece of a stage.
struct Unit {
    parts: Vec<Part>,
    /// For branches and what follows them element by element, the part of the path that all of them share.
    label: Option<String>,
    /// The label of an earlier unit of the stage that computes the same.
    repeats: Option<String>,
}

/// Passes over the first picture for the times of nodes.
const PASSES: usize = 3;

/// Writes the diagram; the numbers of a small network come back, for who wants to see the arithmetic.
pub(super) fn section(explainer: &Explainer, page: &Page<'_>, body: &mut String) -> Result<Option<Numbers>> {
    let Some(subject) = page.subjects.first() else { return Ok(None) };
    let network = explainer.network();
    let stages: Vec<(Stage, Vec<Unit>)> = network
        .outline()
        .stages
        .into_iter()
        .map(|stage| (units(network, &stage), stage))
        .map(|(u, s)| (s, u))
        .collect();
    let small = super::arithmetic::is_small(network);
    let shown = shown(network, &stages, small);
    let values = explainer.activations(&subject.image, &shown)?.swap_remove(0);
    let each = PIXELS / shown.len().max(1);
    let mut nodes = BTreeMap::new();
    for (id, maps) in shown.iter().zip(&values) {
        let sheet = sheet(maps, each)?;
        nodes.insert(*id, Shown { shape: maps.shape, sheet });
    }
    let facts = Facts::new(network, explainer.times(&subject.image, PASSES)?);
    let _ = writeln!(
        body,
        "<section>\n<h2>The network, stage by stage</h2>\n<p class=\"faint\">A click opens a stage. Maps are those of \
         <q>{}</q>, from each node's least number (dark) to its greatest (bright){}. Times are of one picture on this \
         computer, the least of {PASSES} passes; what is computed while it is read, as ReLU is, takes no time of its own.\
         {}</p>",
        escaped(subject.name),
        if small { "; point at one, or use the arrow keys, to see the arithmetic" } else { "" },
        if small { "" } else { " Of a layer and what follows it element by element the last maps are shown." }
    );
    let left_out = stages.iter().any(|(_, units)| {
        units
            .iter()
            .filter(|unit| unit.repeats.is_some())
            .flat_map(|unit| ids(&unit.parts))
            .any(|id| !nodes.contains_key(&id))
    });
    if left_out && network.nodes().len() > MOST_NODES {
        body.push_str(
            "<p class=\"faint\">So that the page stays small, units that repeat an earlier one show no maps.</p>\n",
        );
    }
    let open = stages.len() <= 3 || small;
    for (stage, units) in &stages {
        let all = ids(&units.iter().flat_map(|unit| unit.parts.clone()).collect::<Vec<_>>());
        let head = all.iter().any(|id| network.node(*id).head.is_some());
        let _ = writeln!(
            body,
            "<details class=\"stage\"{}>\n<summary><span class=\"label\">{}</span> <span class=\"shape\">{}</span> \
             <span class=\"cost\">{}</span></summary>",
            if open { " open" } else { "" },
            escaped(&stage.label),
            stage.output,
            facts.total(&all)
        );
        if head {
            let from = stage.reads.as_deref().unwrap_or_default();
            let _ = writeln!(
                body,
                "<p class=\"faint\">An auxiliary head on <code>{}</code>: used in training alone.</p>",
                escaped(from)
            );
        }
        for unit in units {
            write_unit(unit, &facts, &nodes, body);
        }
        body.push_str("</details>\n");
    }
    body.push_str("</section>\n");
    Ok(small.then(|| numbers(explainer, &shown, &values, &nodes)))
}

fn write_unit(unit: &Unit, facts: &Facts<'_>, nodes: &BTreeMap<NodeId, Shown>, body: &mut String) {
    let Some(label) = &unit.label else {
        body.push_str("<div class=\"run\">\n");
        unit.parts.iter().for_each(|part| write_part(part, facts, nodes, body));
        body.push_str("</div>\n");
        return;
    };
    let (open, same) = match &unit.repeats {
        Some(first) => ("", format!(" <span class=\"cost\">as <code>{}</code></span>", escaped(first))),
        None => (" open", String::new()),
    };
    let last = unit.parts.last().map(Part::output);
    let shape = last.map_or_else(String::new, |id| facts.network.node(id).shape.to_string());
    let _ = writeln!(
        body,
        "<details class=\"unit\"{open}>\n<summary><span class=\"label\">{}</span> <span class=\"shape\">{shape}</span>{same} \
         <span class=\"cost\">{}</span></summary>\n<div class=\"run\">",
        escaped(label),
        facts.total(&ids(&unit.parts))
    );
    unit.parts.iter().for_each(|part| write_part(part, facts, nodes, body));
    body.push_str("</div>\n</details>\n");
}

fn write_part(part: &Part, facts: &Facts<'_>, nodes: &BTreeMap<NodeId, Shown>, body: &mut String) {
    if let Part::Fork { branches, .. } = part {
        body.push_str("<div class=\"fork\">\n");
        for branch in branches {
            if branch.is_empty() {
                body.push_str("<div class=\"branch identity\"><p class=\"faint\">unchanged</p></div>\n");
                continue;
            }
            body.push_str("<div class=\"branch\">\n");
            branch.iter().for_each(|part| write_part(part, facts, nodes, body));
            body.push_str("</div>\n");
        }
        body.push_str("</div>\n");
    }
    let id = part.output();
    node(id, facts, nodes.get(&id), body);
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
fn ids(parts: &[Part]) -> Vec<NodeId> {
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
    let needed = network.needed_for(&[score_node(network)]);
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

impl Facts<'_> {
    /// What some nodes cost together.
    fn total(&self, ids: &[NodeId]) -> String {
        let sum = |of: &dyn Fn(&NodeId) -> usize| ids.iter().map(of).sum::<usize>();
        let parameters = sum(&|id| self.summary.nodes[id.index()].parameters);
        let macs = sum(&|id| self.summary.nodes[id.index()].macs);
        let time: f64 = ids.iter().filter_map(|id| self.times[id.index()]).map(|time| time.as_secs_f64()).sum();
        let mut parts = Vec::new();
        if parameters > 0 {
            parts.push(format!("{} parameters", count(parameters)));
        }
        if macs > 0 && self.summary.macs > 0 {
            parts.push(format!("{} of all MACs", percent(macs as f64 / self.summary.macs as f64)));
        }
        if time > 0.0 && self.all > 0.0 {
            parts.push(format!("{} of the time", percent(time / self.all)));
        }
        parts.join(" · ")
    }
}
