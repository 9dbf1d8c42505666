//! Weights that a command line names, and what they say of the network they are for.

use anyhow::{Error, Result};
use cnn_core::weights::{Sizes, Weights};
use cnn_core::{Architecture, Network};
use cnn_zoo::Entry;
use std::error;
use std::path::Path;

/// The most classes that a file of weights is believed to be for.
const MOST_CLASSES: usize = 100_000;

/// What the weights are for, if they are this network's.
fn sizes(entry: &Entry, weights: &Weights) -> Result<Sizes> {
    let Sizes { classes, channels } = weights.sizes(&entry.architecture(entry.classes))?;
    Ok(Sizes { classes: classes.filter(|classes| (1..=MOST_CLASSES).contains(classes)), channels })
}

/// The number of classes that the weights are for, or the network's own.
pub fn classes_of(entry: &Entry, weights: &Weights) -> Result<usize> {
    Ok(sizes(entry, weights)?.classes.unwrap_or(entry.classes))
}

/// The network for the classes and the input channels that the weights are for.
pub fn network_of(entry: &Entry, weights: &Weights) -> Result<Network> {
    let sizes = sizes(entry, weights)?;
    let architecture: Architecture = entry.architecture(sizes.classes.unwrap_or(entry.classes));
    let [usual, height, width] = architecture.usual_input();
    let channels = sizes.channels.filter(|channels| (1..=MOST_CLASSES).contains(channels)).unwrap_or(usual);
    Ok(architecture.at([channels, height, width])?)
}

/// What came of reading weights or giving them to a network; an error names the file.
pub fn of_file<T, E: error::Error + Send + Sync + 'static>(path: &Path, result: Result<T, E>) -> Result<T> {
    result.map_err(|error| {
        let name = path.display().to_string();
        let named = error.to_string().contains(&name);
        if named { error.into() } else { Error::from(error).context(name) }
    })
}
