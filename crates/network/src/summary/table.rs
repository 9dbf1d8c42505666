//! The summary as a table.

use super::Summary;
use std::fmt;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["node", "operation", "output", "parameters", "MACs", "sees"].map(str::to_string);
        let rows = self.nodes.iter().map(|node| {
            [
                node.path.clone(),
                node.description.clone(),
                node.output.to_string(),
                count(node.parameters),
                count(node.macs),
                node.receptive_field.size.to_string(),
            ]
        });
        let rows: Vec<[String; 6]> = std::iter::once(header).chain(rows).collect();
        let widths: [usize; 6] =
            std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        writeln!(f, "{} on {}", self.name, self.input)?;
        for row in &rows {
            let [path, op, output, parameters, macs, sees] = row;
            let [w0, w1, w2, w3, w4, w5] = widths;
            writeln!(f, "  {path:w0$}  {op:w1$}  {output:>w2$}  {parameters:>w3$}  {macs:>w4$}  {sees:>w5$}")?;
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

/// A number with its thousands apart: `25,557,032`.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
