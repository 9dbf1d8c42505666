//! The numbers in `docs/questions.md`: calls of `compare`, and examples too small for the zoo.

use super::markers;
use crate::cli::{Cli, Command};
use crate::comparison::Comparison;
use anyhow::{Result, bail};
use cnn_core::Network;
use cnn_core::definition::*;
use cnn_figures::count;
use std::fmt::Write;

/// The text with its numbers: behind `<!-- compare … -->` what that command prints, behind `<!-- example … -->` a table.
pub fn fill(text: &str) -> Result<String> {
    let text = markers::fill(text, "compare", compare)?;
    markers::fill(&text, "example", example)
}

fn compare(words: &str) -> Result<String> {
    let command = ["xtask", "compare"].into_iter().chain(words.split_whitespace());
    match Cli::read(command)?.command {
        Command::Compare(args) => {
            Ok(format!("```text\n$ cargo xtask compare {words}\n{}\n```", Comparison::of(&args)?))
        }
        _ => bail!("compare {words} is another command"),
    }
}

fn example(name: &str) -> Result<String> {
    match name {
        "stacks" => costs(
            &[
                ("one 7×7", chain().and(conv(7).out(64).pad(3))),
                ("three 3×3", chain().and_all([3; 3].map(|kernel| conv(kernel).out(64).pad(1)))),
                ("one 5×5", chain().and(conv(5).out(64).pad(2))),
                ("two 3×3", chain().and_all([3; 2].map(|kernel| conv(kernel).out(64).pad(1)))),
            ],
            [64, 56, 56],
        ),
        "pixel" => {
            let pixel = costs(&[("linear layer at one pixel", chain().flatten().and(linear(64)))], [256, 1, 1])?;
            let map = costs(&[("1×1 convolution on 28×28 pixels", chain().and(conv(1).out(64)))], [256, 28, 28])?;
            Ok(pixel + map.lines().last().unwrap_or_default() + "\n")
        }
        "sharing" => costs(
            &[
                ("5×5 convolution to 10 maps", chain().and(conv(5).out(10))),
                ("linear layer to as many numbers", chain().flatten().and(linear(10 * 24 * 24))),
            ],
            [1, 28, 28],
        ),
        "naive" => stages("googlenet_paper", "googlenet_naive", "inception"),
        "dense" => stages("resnet50", "densenet121", ""),
        _ => bail!("there is no example {name}"),
    }
}

/// A table of what each chain costs on the same input.
fn costs(chains: &[(&str, Chain)], input: [usize; 3]) -> Result<String> {
    let mut table = "| | output | parameters | MACs | sees |\n| --- | ---: | ---: | ---: | ---: |\n".to_string();
    for (what, chain) in chains {
        let network = chain.clone().named(*what, input).at_usual_input()?;
        let summary = network.summary();
        let output = summary.nodes.last().map_or(String::new(), |node| node.output.to_string());
        let sees = summary.nodes.last().map_or(String::new(), |node| node.receptive_field.size.to_string());
        let (parameters, macs) = (count(summary.parameters), count(summary.macs));
        writeln!(table, "| {what} | {output} | {parameters} | {macs} | {sees} |")?;
    }
    Ok(table)
}

/// The stages of two networks whose labels begin so, side by side where both have them and below each other elsewhere.
fn stages(first: &str, second: &str, start: &str) -> Result<String> {
    let mut table =
        "| network | stage | output | parameters | MACs |\n| --- | --- | ---: | ---: | ---: |\n".to_string();
    for name in [first, second] {
        let entry = cnn_zoo::find(name)?;
        let network: Network = entry.architecture(entry.classes).without_heads().at_usual_input()?;
        let summary = network.summary();
        for stage in network.outline().stages.iter().filter(|stage| stage.label.starts_with(start)) {
            let nodes = stage.nodes();
            let total = |of: fn(&cnn_core::summary::NodeSummary) -> usize| {
                count(nodes.iter().map(|id| of(&summary.nodes[id.index()])).sum())
            };
            let (parameters, macs) = (total(|node| node.parameters), total(|node| node.macs));
            writeln!(table, "| {name} | {} | {} | {parameters} | {macs} |", stage.label, stage.output)?;
        }
    }
    Ok(table)
}
