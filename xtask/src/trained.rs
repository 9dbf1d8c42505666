//! Trained weights that a command line names.

use crate::cli;
use anyhow::{Context, Result, bail};
use cnn_classifier::{Known, Trained, embedded};
use cnn_figures::{path, printable};
use std::path::Path;

/// No list of class names is as long.
const LARGEST_LIST: u64 = 10_000_000;

/// Opens the weights of a command, whose first names may be that of a network; the rest are returned. What was taken from
/// where is said on standard error.
pub fn open<'a>(args: &cli::Trained, names: &'a [String]) -> Result<(Trained, &'a [String])> {
    let (network, rest) = match names {
        [first, rest @ ..] if !Path::new(first).exists() && cnn_zoo::find(first).is_ok() => (Some(first), rest),
        _ => (None, names),
    };
    let source = args.weights.as_ref().or(network).map_or(embedded::NAMES[0], |source| source);
    let classes = args.class_names.as_deref().map(class_names).transpose()?;
    let known = Known { network: network.cloned(), classes, ..Known::default() };
    let trained = Trained::open(source, &known)?;
    announce(&trained);
    Ok((trained, rest))
}

/// Says what is used, and how pictures become inputs.
fn announce(trained: &Trained) {
    let card = &trained.card;
    let dataset = if card.dataset.is_empty() { String::new() } else { format!(", trained on {}", card.dataset) };
    eprintln!(
        "{} with the weights of {}: {} classes{}",
        card.network,
        printable(trained.weights.source()),
        card.classes.len(),
        printable(&dataset)
    );
    eprintln!("pictures: {}", printable(&cnn_classifier::preparation(card)));
    for note in &trained.notes {
        eprintln!("{}", printable(note));
    }
}

fn class_names(file: &Path) -> Result<Vec<String>> {
    let bytes = cnn_core::file::read(file, LARGEST_LIST).with_context(|| format!("cannot read {}", path(file)))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is no text", path(file)))?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect();
    if names.is_empty() {
        bail!("{} has no name in it: a class on each line is needed", path(file));
    }
    Ok(names)
}
