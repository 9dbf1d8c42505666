//! What several networks cost at one shape and batch, each without its auxiliary heads.

use crate::cli;
use anyhow::Result;
use cnn_core::Summary;
use cnn_core::op::Kind;
use cnn_figures::{Table, bytes, count, fixed};
use serde_json::{Value, json};
use std::fmt;

/// The networks of a call of `compare`.
pub struct Comparison {
    batch: usize,
    summaries: Vec<Summary>,
}

impl Comparison {
    pub fn of(args: &cli::Compare) -> Result<Self> {
        let summaries = args
            .networks
            .iter()
            .map(|name| {
                let entry = cnn_zoo::find(name)?;
                let classes = args.classes.map_or(entry.classes, |classes| classes as usize);
                let architecture = entry.architecture(classes).without_heads();
                let input = args.shape.map_or(architecture.usual_input(), |shape| shape.0);
                Ok(architecture.at(input)?.summary())
            })
            .collect::<Result<_>>()?;
        Ok(Self { batch: args.batch as usize, summaries })
    }

    pub fn as_json(&self) -> Value {
        let networks: Vec<Value> = self
            .summaries
            .iter()
            .map(|summary| {
                json!({
                    "name": summary.name,
                    "input": summary.input.dims(),
                    "parameters": summary.parameters,
                    "parameters_in_linear_layers": in_linear_layers(summary),
                    "macs": summary.macs,
                    "layers": summary.layers,
                    "receptive_field": summary.receptive_field.size.axes(),
                    "weights_memory": summary.weights_memory,
                    "training_memory": summary.training_memory.saturating_mul(self.batch),
                    "inference_memory": summary.inference_memory.saturating_mul(self.batch),
                })
            })
            .collect();
        json!({ "batch": self.batch, "networks": networks })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new([
            "",
            "input",
            "parameters",
            "of the first",
            "in linear",
            "MACs",
            "of the first",
            "layers",
            "sees",
            "weights",
            "training",
            "inference",
        ]);
        let of_batch = |memory: usize| bytes(memory.saturating_mul(self.batch) as u64);
        for summary in &self.summaries {
            let first = &self.summaries[0];
            table.row([
                summary.name.clone(),
                summary.input.to_string(),
                count(summary.parameters),
                ratio(summary.parameters, first.parameters),
                count(in_linear_layers(summary)),
                count(summary.macs),
                ratio(summary.macs, first.macs),
                summary.layers.to_string(),
                summary.receptive_field.size.to_string(),
                bytes(summary.weights_memory as u64),
                of_batch(summary.training_memory),
                of_batch(summary.inference_memory),
            ]);
        }
        write!(f, "{table}")?;
        write!(f, "Memory in f32; training and inference: activations of a batch of {}.", self.batch)
    }
}

fn in_linear_layers(summary: &Summary) -> usize {
    summary.nodes.iter().filter(|node| node.kind == Kind::Linear).map(|node| node.parameters).sum()
}

fn ratio(part: usize, whole: usize) -> String {
    format!("×{}", fixed(part as f64 / whole.max(1) as f64, 2))
}
