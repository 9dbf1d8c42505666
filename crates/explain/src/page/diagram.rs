//! The network as one can read it: its stages, folded; in them units and branches; on every node what it costs and what
//! it makes of the first picture.

use super::arithmetic::{Numbers, numbers};
use super::fields::Fields;
use super::node::{Facts, Shown, node};
use super::sheet::Sheet;
use super::stages::{Stages, Unit, ids};
use super::{MOST_NODES, PIXELS, Page};
use crate::error::Result;
use crate::explainer::Explainer;
use cnn_figures::svg::escaped;
use cnn_figures::{count, percent};
use cnn_network::network::NodeId;
use cnn_network::outline::Part;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Passes over the first picture for the times of nodes.
const PASSES: usize = 3;

/// What scripts of the diagram need: the numbers of a small network, for who wants to see the arithmetic, and which
/// pixels are seen from where.
#[derive(Default)]
pub(super) struct Data {
    pub(super) numbers: Option<Numbers>,
    pub(super) fields: Option<Fields>,
}

/// Writes the diagram.
pub(super) fn section(explainer: &Explainer, page: &Page<'_>, body: &mut String) -> Result<Data> {
    let Some(subject) = page.subjects.first() else { return Ok(Data::default()) };
    let network = explainer.network();
    let stages = Stages::of(network);
    let values = explainer.activations(&subject.image, &stages.shown)?.swap_remove(0);
    let each = PIXELS / stages.shown.len().max(1);
    let mut nodes = BTreeMap::new();
    for (id, maps) in stages.shown.iter().zip(&values) {
        nodes.insert(*id, Shown { shape: maps.shape, sheet: Sheet::drawn(maps, each)? });
    }
    let facts = Facts::new(network, explainer.times(&subject.image, PASSES)?);
    let _ = writeln!(
        body,
        "<section>\n<h2>The network, stage by stage</h2>\n<p class=\"faint\">A click opens a stage. Maps are those of \
         <q>{}</q>, from each node's least number (dark) to its greatest (bright){}. Times are of one picture on this \
         computer, the least of {PASSES} passes; what is computed while it is read, as ReLU is, takes no time of its own. \
         Point at a map to see which pixels that place sees.{}</p>",
        escaped(subject.name),
        if stages.small { "; point at one, or use the arrow keys, to see the arithmetic" } else { "" },
        if stages.small { "" } else { " Of a layer and what follows it element by element the last maps are shown." }
    );
    write(&stages, &facts, &nodes, body);
    body.push_str("</section>\n");
    let values: Vec<&[f32]> = values.iter().map(|maps| &*maps.numbers).collect();
    let numbers = stages.small.then(|| numbers(explainer, &stages.shown, Some(&values), &nodes));
    Ok(Data { numbers, fields: Some(Fields::of(network, &nodes)?) })
}

/// Writes the stages, with the maps of `nodes`.
pub(crate) fn write(stages: &Stages, facts: &Facts<'_>, nodes: &BTreeMap<NodeId, Shown>, body: &mut String) {
    let (network, small) = (facts.network, stages.small);
    let left_out = stages.stages.iter().any(|(_, units)| {
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
    let open = stages.stages.len() <= 3 || small;
    for (stage, units) in &stages.stages {
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
            write_unit(&stage.label, unit, facts, nodes, body);
        }
        body.push_str("</details>\n");
    }
}

fn write_unit(stage: &str, unit: &Unit, facts: &Facts<'_>, nodes: &BTreeMap<NodeId, Shown>, body: &mut String) {
    let Some(label) = &unit.label else {
        body.push_str("<div class=\"run\">\n");
        unit.parts.iter().for_each(|part| write_part(part, facts, nodes, body));
        body.push_str("</div>\n");
        return;
    };
    let (open, same) = match &unit.repeats {
        Some(first) => {
            let link =
                format!(" <span class=\"cost\">as <a href=\"#{}\">{}</a></span>", anchor(stage, first), escaped(first));
            ("", link)
        }
        None => (" open", String::new()),
    };
    let last = unit.parts.last().map(Part::output);
    let shape = last.map_or_else(String::new, |id| facts.network.node(id).shape.to_string());
    let _ = writeln!(
        body,
        "<details class=\"unit\" id=\"{}\"{open}>\n<summary><span class=\"label\">{}</span> <span class=\"shape\">{shape}</span>\
         {same} <span class=\"cost\">{}</span></summary>\n<div class=\"run\">",
        anchor(stage, label),
        escaped(label),
        facts.total(&ids(&unit.parts))
    );
    unit.parts.iter().for_each(|part| write_part(part, facts, nodes, body));
    body.push_str("</div>\n</details>\n");
}

/// What a link to a unit names: no more than letters, digits and points of its stage and its label.
fn anchor(stage: &str, label: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
    };
    format!("{}/{}", plain(stage), plain(label))
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
