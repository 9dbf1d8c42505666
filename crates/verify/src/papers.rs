//! Networks held to the numbers that the papers print.

use crate::error::Result;
use crate::mismatch::{Findings, Mismatch};
use crate::reference::{Reference, read_json};
use cnn_core::shape::times;
use cnn_core::{Network, Op};
use serde::Deserialize;

/// How far a printed number of multiply-accumulates may be off, in billions.
const GIGA_MACS_TOLERANCE: f64 = 0.05;

/// What was compared, and what differed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Entries that name a network.
    pub entries: usize,
    /// Numbers, shapes and tables compared.
    pub numbers: usize,
    /// Printed facts that a network's value does not show: error rates, counts of connections, examples.
    pub beyond: usize,
    /// Everything that differed.
    pub mismatches: Vec<Mismatch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paper {
    paper: String,
    r#where: String,
    entries: Vec<Entry>,
}

/// A column or line of a paper's table. Every field is either compared or counted as beyond.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    network: Option<String>,
    input: Option<[usize; 3]>,
    #[serde(rename = "column")]
    _column: Option<String>,
    parameters: Option<usize>,
    parameters_in_millions: Option<serde_json::Number>,
    parameters_in_millions_tolerance: Option<f64>,
    giga_macs: Option<f64>,
    giga_macs_tolerance: Option<f64>,
    #[serde(default)]
    rows: Vec<Row>,
    /// Kernel and width of every convolution, stage by stage.
    stages: Option<Vec<Vec<[usize; 2]>>>,
    weight_layers: Option<usize>,
    depth: Option<usize>,
    blocks: Option<Vec<usize>>,
    /// How the paths of a stage's blocks begin; a number follows.
    block_paths: Option<Vec<String>>,
    growth: Option<usize>,
    bc: Option<bool>,
    connection_table: Option<Vec<Vec<usize>>>,
    /// k, l, m, n, and the block.
    reduction_a: Option<[usize; 4]>,
    reduction_a_node: Option<String>,
    residual_scales: Option<Vec<f64>>,
    // What no network shows.
    test_error: Option<f64>,
    connections: Option<usize>,
    example: Option<String>,
    #[serde(rename = "layers")]
    _layers: Option<usize>,
    #[serde(rename = "output")]
    _output: Option<[usize; 3]>,
    #[serde(rename = "channels")]
    _channels: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "row")]
    name: String,
    node: String,
    output: Vec<usize>,
    parameters: Option<usize>,
    kernel: Option<Vec<usize>>,
    neurons: Option<usize>,
    /// 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, projection.
    widths: Option<Vec<usize>>,
    connections: Option<usize>,
}

/// Holds the networks that `wanted` names to the papers' numbers.
///
/// # Errors
///
/// A file that cannot be read, an entry for a network that the zoo lacks.
pub fn compare(reference: &Reference, wanted: impl Fn(&str) -> bool) -> Result<Comparison> {
    let papers: Vec<Paper> = read_json(&reference.papers())?;
    let mut comparison = Comparison::default();
    for (paper, entry) in papers.iter().flat_map(|paper| paper.entries.iter().map(move |entry| (paper, entry))) {
        comparison.beyond += entry.beyond();
        let Some(name) = &entry.network else { continue };
        if !wanted(name) {
            continue;
        }
        let zoo = cnn_zoo::find(name)?;
        let architecture = zoo.architecture(zoo.classes);
        let network = architecture.at(entry.input.unwrap_or(architecture.usual_input()))?;
        let mut check = Check { network: &network, findings: Findings::of(name), numbers: 0 };
        entry.check(&mut check);
        comparison.entries += 1;
        comparison.numbers += check.numbers;
        let place = |mismatch: Mismatch| Mismatch {
            place: format!("{} ({}, {})", mismatch.place, paper.paper, paper.r#where),
            ..mismatch
        };
        comparison.mismatches.extend(check.findings.mismatches.into_iter().map(place));
    }
    Ok(comparison)
}

/// A network, and what was compared of it so far.
struct Check<'a> {
    network: &'a Network,
    findings: Findings<'a>,
    numbers: usize,
}

impl Check<'_> {
    fn number(&mut self, place: impl ToString, expected: usize, found: usize) {
        self.numbers += 1;
        self.findings.equal(place, expected, found);
    }

    fn list(&mut self, place: impl ToString, expected: &[usize], found: &[usize]) {
        self.numbers += 1;
        self.findings.equal(place, expected, found);
    }

    /// A number in millions or billions that a paper rounds.
    fn rounded(&mut self, place: &str, expected: f64, found: f64, tolerance: f64) {
        self.numbers += 1;
        if (found - expected).abs() > tolerance + 1e-9 {
            self.findings.differ(place, format!("{expected} ± {tolerance}"), format!("{found:.4}"));
        }
    }

    /// Output channels of every convolution whose path begins with `scope`, in the order of the nodes.
    fn widths(&self, scope: &str) -> Vec<usize> {
        let inside = format!("{scope}.");
        let nodes = self.network.nodes().iter().filter(|node| node.path.starts_with(&inside));
        nodes.filter(|node| matches!(node.op, Op::Conv(_))).map(|node| node.shape.channels()).collect()
    }

    fn layers_with_weights(&self) -> usize {
        let nodes = self.network.nodes().iter().filter(|node| node.head.is_none());
        nodes.filter(|node| matches!(node.op, Op::Conv(_) | Op::Linear(_))).count()
    }

    /// How many paths are `beginning` and a number.
    fn numbered(&self, beginning: &str) -> usize {
        let number = |path: &str| path.strip_prefix(beginning).is_some_and(|rest| rest.parse::<usize>().is_ok());
        self.network.paths().filter(|(path, _)| number(path)).count()
    }
}

impl Entry {
    fn beyond(&self) -> usize {
        let rows = self.rows.iter().filter(|row| row.connections.is_some()).count();
        let unnumbered = self.blocks.is_some() && self.block_paths.is_none();
        let own = [self.test_error.is_some(), self.connections.is_some(), self.example.is_some(), unnumbered];
        rows + own.into_iter().filter(|there| *there).count()
    }

    fn check(&self, check: &mut Check<'_>) {
        let summary = check.network.summary();
        if let Some(parameters) = self.parameters {
            check.number("parameters without heads", parameters, summary.parameters_without_heads);
        }
        if let Some(millions) = &self.parameters_in_millions {
            // As printed: papers round, and some cut off, hence a whole unit of the last digit.
            let digits = millions.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32);
            let tolerance = self.parameters_in_millions_tolerance.unwrap_or(10f64.powi(-digits));
            let found = summary.parameters_without_heads as f64 / 1e6;
            check.rounded("parameters in millions", millions.as_f64().unwrap_or(f64::NAN), found, tolerance);
        }
        if let Some(expected) = self.giga_macs {
            let tolerance = self.giga_macs_tolerance.unwrap_or(GIGA_MACS_TOLERANCE);
            check.rounded("billions of multiply-accumulates", expected, summary.macs as f64 / 1e9, tolerance);
        }
        for row in &self.rows {
            row.check(check);
        }
        for layers in [self.weight_layers, self.depth].into_iter().flatten() {
            let found = check.layers_with_weights();
            check.number("layers with weights", layers, found);
        }
        if let Some(stages) = &self.stages {
            check.stages(stages);
        }
        if let (Some(blocks), Some(paths)) = (&self.blocks, &self.block_paths) {
            let found: Vec<usize> = paths.iter().map(|path| check.numbered(path)).collect();
            check.list("blocks", blocks, &found);
        }
        if let Some(growth) = self.growth {
            check.growth(growth);
        }
        if let Some(bc) = self.bc {
            let bottlenecks = check.network.tensors().any(|tensor| tensor.name.ends_with(".conv2.weight"));
            check.number("layers with bottlenecks", usize::from(bc), usize::from(bottlenecks));
        }
        if let Some(table) = &self.connection_table {
            let tables = check.network.nodes().iter().filter_map(|node| match &node.op {
                Op::Conv(conv) => conv.connections.clone(),
                _ => None,
            });
            let found: Vec<Vec<usize>> = tables.flatten().collect();
            check.numbers += 1;
            if found != *table {
                check.findings.differ("connections", format!("{table:?}"), format!("{found:?}"));
            }
        }
        if let (Some([k, l, m, n]), Some(node)) = (self.reduction_a, &self.reduction_a_node) {
            let found = check.widths(node);
            check.list(format!("node {node}"), &[n, k, l, m], &found);
        }
        if let Some(scales) = &self.residual_scales {
            check.scales(scales);
        }
    }
}

impl Check<'_> {
    fn stages(&mut self, expected: &[Vec<[usize; 2]>]) {
        let mut found: Vec<Vec<[usize; 2]>> = vec![Vec::new()];
        for node in self.network.nodes() {
            match (&node.op, found.last_mut()) {
                (Op::Conv(conv), Some(stage)) => stage.push([conv.window.kernel.height, node.shape.channels()]),
                (Op::MaxPool(_), _) => found.push(Vec::new()),
                _ => {}
            }
        }
        found.retain(|stage| !stage.is_empty());
        self.numbers += 1;
        if found != expected {
            self.findings.differ("stages", format!("{expected:?}"), format!("{found:?}"));
        }
    }

    /// What every layer of a dense block adds.
    fn growth(&mut self, expected: usize) {
        let network = self.network;
        for node in network.nodes().iter().filter(|node| node.op == Op::Concat) {
            let [before, added] = network.input_shapes(node)[..] else { continue };
            self.number(format!("growth at {}", node.path), expected, added.channels());
            self.number(format!("channels at {}", node.path), before.channels() + expected, node.shape.channels());
        }
    }

    fn scales(&mut self, expected: &[f64]) {
        let factors = self.network.nodes().iter().filter_map(|node| match node.op {
            Op::Scale { factor } if factor != 1.0 => Some(factor),
            _ => None,
        });
        let mut found: Vec<f64> = factors.collect();
        found.dedup();
        self.numbers += 1;
        if found != expected {
            self.findings.differ("factors of the residuals", format!("{expected:?}"), format!("{found:?}"));
        }
    }
}

impl Row {
    fn check(&self, check: &mut Check<'_>) {
        let place = format!("node {}, row {}", self.node, self.name);
        let id = match check.network.find(&self.node) {
            Ok(id) => id,
            Err(error) => return check.findings.differ(place, times(&self.output), error),
        };
        let node = check.network.node(id);
        let dims = node.shape.dims();
        check.list(&place, &self.output, &dims[..self.output.len().min(dims.len())]);
        if let Some(parameters) = self.parameters {
            let found = node.tensors.iter().filter(|tensor| tensor.trained()).map(|tensor| tensor.elements()).sum();
            check.number(format!("{place}, parameters"), parameters, found);
        }
        if let Some(kernel) = &self.kernel {
            let found = node.tensors.first().map(|weight| weight.dims.clone()).unwrap_or_default();
            check.list(format!("{place}, kernel"), kernel, &found);
        }
        if let Some(neurons) = self.neurons {
            check.number(format!("{place}, neurons"), neurons, node.shape.elements());
        }
        if let Some(widths) = &self.widths {
            let found = check.widths(&self.node);
            check.list(format!("{place}, widths"), widths, &found);
        }
    }
}
