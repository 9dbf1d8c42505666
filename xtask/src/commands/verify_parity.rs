//! `verify-parity`: networks in candle and planned against torch's goldens.

use crate::cli;
use anyhow::{Result, bail};
use cnn_verify::Mismatch;
use cnn_verify::golden::Golden;
use cnn_verify::parity::{Comparison, compare};
use std::path::Path;
use std::process::ExitCode;

/// Small networks, one or more of each family.
const QUICK: [&str; 14] = [
    "lenet",
    "lenet_paper",
    "lenet_d2l",
    "mnist_conv",
    "alexnet_d2l",
    "nin_d2l",
    "vgg_small_d2l",
    "googlenet_d2l",
    "googlenet",
    "mnist_inception",
    "resnet20_cifar",
    "resnet18",
    "mnist_residual",
    "densenet_d2l",
];

pub fn run(args: &cli::VerifyParity) -> Result<ExitCode> {
    let default = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/goldens/parity"));
    let folder = args.goldens.as_deref().unwrap_or(default);
    let wanted = |name: &str| match args.networks.as_slice() {
        [] => !args.quick || QUICK.contains(&name),
        names => names.iter().any(|wanted| wanted == name),
    };
    for name in &args.networks {
        cnn_zoo::find(name)?;
    }
    println!(
        "{:<24} {:>5} {:>5}  {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "relative errors",
        "nodes",
        "grads",
        "logits",
        "f32",
        "planned",
        "oracle",
        "nodes",
        "grads",
        "f32/may",
        "plan/may",
        "loss"
    );
    // Whoever asks for certain networks is not content with others.
    let chosen = args.quick || !args.networks.is_empty();
    let (mut networks, mut without): (usize, Vec<&str>) = (0, Vec::new());
    let (mut nodes, mut gradients) = (0, 0);
    let mut mismatches: Vec<Mismatch> = Vec::new();
    for entry in cnn_zoo::all().filter(|entry| wanted(entry.name)) {
        let Some(golden) = Golden::read(folder, entry.name)? else {
            without.push(entry.name);
            continue;
        };
        let comparison = compare(&entry, &golden)?;
        print(entry.name, &comparison);
        networks += 1;
        nodes += comparison.nodes;
        gradients += comparison.gradients + comparison.zero_gradients;
        mismatches.extend(comparison.mismatches);
    }
    println!("{networks} networks, {nodes} inner nodes, {gradients} gradients: {} differ", mismatches.len());
    if !without.is_empty() {
        println!("without a golden: {}", without.join(", "));
    }
    if networks == 0 || (chosen && !without.is_empty()) {
        bail!("{} has no golden of {}", folder.display(), without.join(", "));
    }
    for mismatch in &mismatches {
        eprintln!("{mismatch}");
    }
    Ok(if mismatches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(name: &str, comparison: &Comparison) {
    let Comparison { nodes, gradients, logits, logits_f32, logits_planned, node, gradient, .. } = comparison;
    let Comparison { gradient_f32, gradient_planned, loss_planned, .. } = comparison;
    let oracle = comparison.oracle.map_or(String::new(), |error| format!("{error:.1e}"));
    let all = gradients + comparison.zero_gradients;
    println!(
        "{name:<24} {nodes:>5} {all:>5}  {logits:>8.1e} {logits_f32:>8.1e} {logits_planned:>8.1e} {oracle:>8} {node:>8.1e} \
         {gradient:>8.1e} {gradient_f32:>8.2} {gradient_planned:>8.2} {loss_planned:>8.1e}{}",
        if comparison.mismatches.is_empty() { "" } else { "  differs" }
    );
}
