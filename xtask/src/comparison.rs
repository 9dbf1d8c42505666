//! What several networks cost at one shape and batch, each without its auxiliary heads.

use crate::cli;
use anyhow::Result;
use cnn_core::Summary;
use cnn_core::op::Kind;
use cnn_core::summary::count;
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
        let header = [
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
        ];
        let rows = self.summaries.iter().map(|summary| {
            let first = &self.summaries[0];
            [
                summary.name.clone(),
                summary.input.to_string(),
                count(summary.parameters),
                ratio(summary.parameters, first.parameters),
                count(in_linear_layers(summary)),
                count(summary.macs),
                ratio(summary.macs, first.macs),
                summary.layers.to_string(),
                summary.receptive_field.size.to_string(),
                bytes(summary.weights_memory),
                bytes(summary.training_memory.saturating_mul(self.batch)),
                bytes(summary.inference_memory.saturating_mul(self.batch)),
            ]
        });
        let rows: Vec<[String; 12]> = std::iter::once(header.map(str::to_string)).chain(rows).collect();
        let widths: [usize; 12] =
            std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        for row in &rows {
            write!(f, "{:<w$}", row[0], w = widths[0])?;
            for (cell, width) in row.iter().zip(widths).skip(1) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        write!(f, "Memory in f32; training and inference: activations of a batch of {}.", self.batch)
    }
}

fn in_linear_layers(summary: &Summary) -> usize {
    summary.nodes.iter().filter(|node| node.kind == Kind::Linear).map(|node| node.parameters).sum()
}

fn ratio(part: usize, whole: usize) -> String {
    format!("×{:.2}", part as f64 / whole.max(1) as f64)
}

/// Bytes for a reader, in powers of ten.
pub fn bytes(number: usize) -> String {
    let number = number as f64;
    match number {
        n if n < 1e6 => format!("{:.1} kB", n / 1e3),
        n if n < 1e9 => format!("{:.1} MB", n / 1e6),
        n => format!("{:.2} GB", n / 1e9),
    }
}
