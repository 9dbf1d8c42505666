//! The summary as a table.

use super::Summary;
use cnn_figures::{Table, count};
use std::fmt;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["node", "operation", "output", "parameters", "MACs", "sees"];
        let mut table = Table::new(header).text_columns(2);
        for node in &self.nodes {
            table.row([
                node.path.clone(),
                node.description.clone(),
                node.output.to_string(),
                count(node.parameters),
                count(node.macs),
                node.receptive_field.size.to_string(),
            ]);
        }
        writeln!(f, "{} on {}", self.name, self.input)?;
        for line in table.to_string().lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f)?;
        write!(f, "parameters          {:>14}", count(self.parameters))?;
        if self.parameters != self.parameters_without_heads {
            write!(f, "  ({} without the auxiliary heads)", count(self.parameters_without_heads))?;
        }
        write!(f, "\nMACs per sample     {:>14}", count(self.macs))?;
        if self.macs != self.macs_with_heads {
            write!(f, "  ({} with the auxiliary heads)", count(self.macs_with_heads))?;
        }
        writeln!(f, "\nactivations, f32    {:>14}  bytes per sample kept for training", count(self.training_memory))?;
        write!(f, "                    {:>14}  bytes per sample alive in inference", count(self.inference_memory))
    }
}
