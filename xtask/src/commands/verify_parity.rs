//! `verify-parity`: networks in candle and planned against torch's goldens.

use crate::cli;
use anyhow::{Result, bail};
use cnn_verify::golden::Golden;
use cnn_verify::parity::{Comparison, Errors, compare};
use cnn_zoo::Entry;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

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
    let mut goldens: Vec<(Entry, Golden)> = Vec::new();
    let mut without: Vec<&str> = Vec::new();
    for entry in wanted(args)? {
        match Golden::read(folder, entry.name)? {
            Some(golden) => goldens.push((entry, golden)),
            None => without.push(entry.name),
        }
    }
    // Whoever asks for certain networks is not content with others.
    let chosen = args.quick || !args.networks.is_empty();
    if goldens.is_empty() || (chosen && !without.is_empty()) {
        bail!("{} has no golden of {}", folder.display(), without.join(", "));
    }
    if let Some(share) = args.share {
        let costs: Vec<f64> = goldens.iter().map(|(entry, golden)| cost(entry, golden)).collect::<Result<_>>()?;
        let mut chosen = share.of(&costs).into_iter();
        goldens.retain(|_| chosen.next() == Some(true));
        println!("share {share}: {} of {} networks", goldens.len(), costs.len());
        if goldens.is_empty() {
            bail!("share {share} is empty: there are {} networks", costs.len());
        }
    }

    heading();
    let mut total = Comparison::default();
    for (entry, golden) in &goldens {
        let start = Instant::now();
        let comparison = compare(entry, golden)?;
        print(entry.name, &comparison, start.elapsed().as_secs_f64());
        total.nodes += comparison.nodes;
        total.gradients += comparison.gradients + comparison.zero_gradients;
        total.mismatches.extend(comparison.mismatches);
    }
    let Comparison { nodes, gradients, mismatches, .. } = total;
    println!("{} networks, {nodes} inner nodes, {gradients} gradients: {} differ", goldens.len(), mismatches.len());
    if !without.is_empty() {
        println!("without a golden: {}", without.join(", "));
    }
    for mismatch in &mismatches {
        eprintln!("{mismatch}");
    }
    Ok(if mismatches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The networks that are asked for, in the zoo's order.
fn wanted(args: &cli::VerifyParity) -> Result<Vec<Entry>> {
    for name in &args.networks {
        cnn_zoo::find(name)?;
    }
    let is_wanted = |name: &str| match args.networks.as_slice() {
        [] => !args.quick || QUICK.contains(&name),
        names => names.iter().any(|wanted| wanted == name),
    };
    Ok(cnn_zoo::all().filter(|entry| is_wanted(entry.name)).collect())
}

/// About how long a network takes: its arithmetic in plain f64, its weights, of which every number is drawn, and its
/// nodes.
fn cost(entry: &Entry, golden: &Golden) -> Result<f64> {
    let [_, channels, height, width] = golden.about.input;
    let network = entry.architecture(golden.about.classes).at([channels, height, width])?;
    let summary = network.summary();
    Ok(summary.macs as f64 + 50.0 * summary.parameters as f64 + 1e6 * network.nodes().len() as f64)
}

fn heading() {
    println!("largest errors in multiples of what they may be, in f64 | in f32 | as planned in f32");
    let kinds = "  logits  nodes  train  grads";
    println!("{:<24} {:>5} {:>5} {kinds} |{kinds} |{kinds} | oracle  seconds", "", "nodes", "grads");
}

fn print(name: &str, comparison: &Comparison, seconds: f64) {
    let Comparison { nodes, f64, f32, planned, oracle, .. } = comparison;
    let gradients = comparison.gradients + comparison.zero_gradients;
    let all = |errors: &Errors| {
        let Errors { logits, nodes, training, gradients } = errors;
        format!("  {logits:>6.3} {nodes:>6.3} {training:>6.3} {gradients:>6.3}")
    };
    let oracle = oracle.map_or(String::new(), |errors| format!("{:.3}", errors.logits));
    println!(
        "{name:<24} {nodes:>5} {gradients:>5} {} |{} |{} | {oracle:>6} {seconds:>8.1}{}",
        all(f64),
        all(f32),
        all(planned),
        if comparison.mismatches.is_empty() { "" } else { "  differs" }
    );
}
