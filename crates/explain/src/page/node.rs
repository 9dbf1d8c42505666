//! A node of the diagram.

use super::sheet::Sheet;
use cnn_figures::svg::escaped;
use cnn_figures::{count, percent};
use cnn_network::network::NodeId;
use cnn_network::op::Kind;
use cnn_network::{Network, Shape, Summary};
use std::fmt::Write;
use std::time::Duration;

/// Seconds; what takes less is not worth saying, and hardly measured.
const LEAST: f64 = 1e-6;

/// What is said of every node.
pub(crate) struct Facts<'a> {
    pub(crate) network: &'a Network,
    pub(crate) summary: Summary,
    pub(crate) times: Vec<Option<Duration>>,
    /// Seconds of all of them.
    pub(crate) all: f64,
}

/// A node whose maps are shown.
pub(crate) struct Shown {
    pub(crate) shape: Shape,
    pub(crate) sheet: Sheet,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(network: &'a Network, times: Vec<Option<Duration>>) -> Self {
        let all = times.iter().flatten().map(Duration::as_secs_f64).sum();
        Self { network, summary: network.summary(), times, all }
    }
}

/// Writes a node.
pub(crate) fn node(id: NodeId, facts: &Facts<'_>, shown: Option<&Shown>, body: &mut String) {
    let (node, summary) = (facts.network.node(id), &facts.summary.nodes[id.index()]);
    let class = match summary.kind {
        Kind::Convolution => "conv",
        Kind::Linear | Kind::RadialBasis => "linear",
        Kind::Pool | Kind::AdaptivePool => "pool",
        _ => "other",
    };
    let mut lines = Vec::new();
    if summary.parameters > 0 {
        lines.push(format!("{} parameters", count(summary.parameters)));
    }
    if summary.macs > 0 {
        lines.push(format!("{} MACs", count(summary.macs)));
    }
    if node.shape.size().is_some() {
        lines.push(format!("sees {}", summary.receptive_field.size));
    }
    if let Some(seconds) = facts.times[id.index()].map(|time| time.as_secs_f64()).filter(|seconds| *seconds >= LEAST) {
        let length =
            if seconds < 1e-4 { format!("{:.0} µs", 1e6 * seconds) } else { format!("{:.2} ms", 1e3 * seconds) };
        lines.push(format!("{length}, {} of the time", percent(seconds / facts.all)));
    }
    let _ = writeln!(
        body,
        "<article class=\"node {class}\">\n<h4>{} <span class=\"shape\">{}</span></h4>\n<p class=\"path\">{}</p>\n\
         <p class=\"cost\">{}</p>",
        escaped(&summary.description),
        node.shape,
        escaped(&node.path),
        lines.join(" · ")
    );
    if let Some(Shown { shape, sheet }) = shown {
        maps(id, *shape, sheet, body);
    }
    body.push_str("</article>\n");
}

fn maps(id: NodeId, shape: Shape, sheet: &Sheet, body: &mut String) {
    let zoom = match sheet.width {
        0..=60 => 5,
        61..=130 => 3,
        131..=250 => 2,
        _ => 1,
    };
    let channels = if shape.size().is_some() { shape.channels() } else { 1 };
    let [least, greatest] = sheet.range;
    let range = match sheet.address {
        Some(_) => format!("{least:.3} … {greatest:.3}"),
        None => "<span class=\"range\"></span>".to_string(),
    };
    let left_out = sheet.left_out(channels);
    let caption = format!("{range}{}{left_out}", if left_out.is_empty() { "" } else { "; " });
    let size = format!("width=\"{}\" height=\"{}\"", sheet.width, sheet.height);
    let surface = match &sheet.address {
        Some(address) => format!("<img src=\"{address}\" {size} alt=\"maps\" loading=\"lazy\">"),
        None => format!("<canvas {size} role=\"img\" aria-label=\"maps\"></canvas>"),
    };
    let _ = writeln!(
        body,
        "<figure class=\"maps\" data-node=\"{}\"><div class=\"sheet{}\" style=\"width: {}px\">{surface}</div>\
         <figcaption>{caption}</figcaption></figure>",
        id.index(),
        if shape.size().is_some() { "" } else { " vector" },
        sheet.width * zoom,
    );
}
