//! The summary as a table.

use super::Summary;
use crate::op::Op;
use crate::shape::{Shape, Window};
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

/// An operation with its numbers, defaults left out: `conv 7×7, 64, stride 2, pad 3, no bias`.
pub(super) fn describe(op: &Op, output: Shape) -> String {
    let mut text = op.name().replace('_', " ");
    let mut say = |part: String| {
        text.push_str(&part);
    };
    match op {
        Op::Conv(conv) => {
            say(format!(" {}, {}{}", conv.window.kernel, output.channels(), window(&conv.window, 1)));
            if conv.groups != 1 {
                say(format!(", {} groups", conv.groups));
            }
            if let Some(table) = &conv.connections {
                say(format!(", {} connections", table.iter().map(Vec::len).sum::<usize>()));
            }
            if !conv.bias {
                say(", no bias".to_string());
            }
        }
        Op::Linear(linear) => {
            say(format!(" {}{}", linear.out_features, if linear.bias { "" } else { ", no bias" }));
        }
        Op::BatchNorm(norm) => say(format!(" ε {:e}", norm.eps)),
        Op::Lrn(lrn) => say(format!(" {} channels", lrn.size)),
        Op::Tanh { amplitude, slope } => say(format!(" {amplitude:.4} · tanh({slope:.4} x)")),
        Op::MaxPool(pool) => say(format!(" {}{}", pool.kernel, window(pool, pool.kernel.height))),
        Op::AvgPool(pool) => {
            let excluded = if pool.count_padding { "" } else { ", padding not counted" };
            say(format!(" {}{}{excluded}", pool.window.kernel, window(&pool.window, pool.window.kernel.height)));
        }
        Op::AdaptiveAvgPool { output } => say(format!(" to {output}")),
        Op::Dropout { rate } => say(format!(" {rate}")),
        Op::Scale { factor } => say(format!(" {factor}")),
        Op::ZeroChannels { before, after } => say(format!(" {before} + {after}")),
        Op::RadialBasis { centres } => say(format!(" {} centres", centres.len())),
        Op::Input
        | Op::Relu
        | Op::Sigmoid
        | Op::Softmax
        | Op::Flatten
        | Op::ChannelAffine { .. }
        | Op::InputAffine { .. }
        | Op::Add
        | Op::Concat => {}
    }
    text
}

/// The parts of a window that differ from stride `usual_stride`, no padding, no dilation.
fn window(window: &Window, usual_stride: usize) -> String {
    let mut text = String::new();
    let number = |pair: crate::shape::Pair| {
        if pair.height == pair.width { pair.height.to_string() } else { pair.to_string() }
    };
    if window.stride != usual_stride.into() {
        text += &format!(", stride {}", number(window.stride));
    }
    if window.padding != 0.into() {
        text += &format!(", pad {}", number(window.padding));
    }
    if window.dilation != 1.into() {
        text += &format!(", dilation {}", number(window.dilation));
    }
    if window.ceil {
        text += ", ceil";
    }
    text
}
