//! A network held to its reference table.

use crate::error::Result;
use crate::mismatch::{Findings, Mismatch};
use crate::reference::{Shapes, Table};
use cnn_core::Network;
use cnn_zoo::Entry;
use std::collections::BTreeMap;
use std::fmt;

/// What was compared, and what differed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Tensors whose name and shape were compared.
    pub tensors: usize,
    /// Output shapes compared, of both sizes and of the heads.
    pub nodes: usize,
    /// Input sizes.
    pub sizes: usize,
    /// Paths of the table that [`has_no_node`] says the value does not name.
    pub unnamed: usize,
    /// Everything that differed.
    pub mismatches: Vec<Mismatch>,
}

impl Comparison {
    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.mismatches.extend(other.mismatches);
        Self {
            tensors: self.tensors + other.tensors,
            nodes: self.nodes + other.nodes,
            sizes: self.sizes + other.sizes,
            unnamed: self.unnamed + other.unnamed,
            mismatches: self.mismatches,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tensors, nodes, sizes, unnamed, .. } = self;
        write!(f, "parameters, MACs, {tensors:>5} tensors, {nodes:>5} outputs at {sizes} sizes")?;
        if *unnamed > 0 {
            write!(f, " ({unnamed} without a node)")?;
        }
        Ok(())
    }
}

/// Holds a network to its table: parameters with and without heads, multiply-accumulates, every tensor's name and
/// shape as a set, and every output shape at both sizes.
///
/// # Errors
///
/// A definition that does not take the table's input.
pub fn compare(entry: &Entry, table: &Table) -> Result<Comparison> {
    let architecture = entry.architecture(table.classes);
    let network = architecture.at(table.input)?;
    let summary = network.summary();
    let mut findings = Findings::of(entry.name);
    let mut comparison = Comparison { sizes: 1, ..Comparison::default() };

    if table.name != entry.name {
        findings.differ("name of the table", entry.name, &table.name);
    }
    findings.equal("parameters", table.parameters, summary.parameters);
    let without_heads = summary.parameters_without_heads;
    findings.equal("parameters without heads", table.parameters_without_heads, without_heads);
    findings.equal("multiply-accumulates", table.macs, summary.macs);
    let logits = network.node(network.outputs()[0].node).shape.dims();
    findings.equal("logits", table.output.as_slice(), logits.as_slice());
    comparison.tensors = compare_tensors(&network, &table.tensors, &mut findings);
    compare_nodes(&network, &table.nodes, &mut comparison, &mut findings);
    compare_nodes(&network, &table.head_nodes, &mut comparison, &mut findings);
    if let Some(input) = table.input2 {
        comparison.sizes += 1;
        let network = architecture.without_heads().at(input)?;
        compare_nodes(&network, &table.nodes2, &mut comparison, &mut findings);
    }
    comparison.mismatches = findings.mismatches;
    Ok(comparison)
}

fn compare_tensors(network: &Network, expected: &Shapes, findings: &mut Findings<'_>) -> usize {
    let found: BTreeMap<&str, &[usize]> =
        network.tensors().map(|tensor| (tensor.name.as_str(), tensor.dims.as_slice())).collect();
    for (name, dims) in expected {
        match found.get(name.as_str()) {
            Some(found) => findings.equal(format!("tensor {name}"), dims.as_slice(), found),
            None => findings.differ(format!("tensor {name}"), cnn_core::shape::times(dims), "none"),
        }
    }
    for (name, dims) in found.iter().filter(|(name, _)| !expected.contains_key(**name)) {
        findings.differ(format!("tensor {name}"), "none", cnn_core::shape::times(dims));
    }
    found.len()
}

fn compare_nodes(network: &Network, expected: &Shapes, comparison: &mut Comparison, findings: &mut Findings<'_>) {
    let size = network.input();
    for (path, dims) in expected {
        match network.find(path) {
            Ok(id) => {
                comparison.nodes += 1;
                let found = network.node(id).shape.dims();
                findings.equal(format!("node {path} at {size}"), dims.as_slice(), found.as_slice());
            }
            Err(_) if has_no_node(path) => comparison.unnamed += 1,
            Err(error) => findings.differ(format!("node {path} at {size}"), cnn_core::shape::times(dims), error),
        }
    }
}

/// Whether a reference has a module of this path where a value has no node of that name. All of them are timm's: its
/// normalisations hold their activation as a child (`bn.act`, `norm1.act`), its heads a dropout that is nothing and the
/// pool inside the pool.
pub fn has_no_node(path: &str) -> bool {
    let inside_a_normalisation = path.strip_suffix(".act").is_some_and(|path| {
        let last = path.rsplit('.').next().unwrap_or_default();
        last == "bn" || last.trim_end_matches(|digit: char| digit.is_ascii_digit()) == "norm"
    });
    inside_a_normalisation || path == "head.drop" || path == "head.global_pool.pool"
}
