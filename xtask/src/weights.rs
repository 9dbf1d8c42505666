//! Weights that a command line names, and what they say of the network they are for.

use crate::sentence;
use anyhow::{Error, Result, anyhow};
use cnn_core::shape::times;
use cnn_core::weights::Sizes;
use cnn_core::{Network, Weights};
use cnn_data::Card;
use cnn_zoo::Entry;
use std::error;
use std::path::Path;

/// The number of classes that the weights are for, or the network's own.
pub fn classes_of(entry: &Entry, weights: &Weights) -> Result<usize> {
    let sizes = weights.sizes(&entry.architecture(entry.classes))?;
    classes(entry, weights, sizes)
}

/// What the tensors tell, else the weights' card, else the network's own.
fn classes(entry: &Entry, weights: &Weights, sizes: Sizes) -> Result<usize> {
    if let Some(classes) = sizes.classes {
        return Ok(classes);
    }
    Ok(Card::of(weights)?.map_or(entry.classes, |card| card.classes.len()))
}

/// The network for the classes and the input channels that the weights are for.
pub fn network_of(entry: &Entry, weights: &Weights) -> Result<Network> {
    let sizes = weights.sizes(&entry.architecture(entry.classes))?;
    let architecture = entry.architecture(classes(entry, weights, sizes)?);
    let [usual, height, width] = architecture.usual_input();
    let channels = sizes.channels.unwrap_or(usual);
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

/// An error of weights that were given to a network of a certain input. Where the shape of a tensor is wrong and their card
/// says another input, so is said: of a network that ends in linear layers the image's size is part of their weights.
pub fn with_size(weights: &Weights, network: &Network, error: Error) -> Error {
    let said = sentence(&error);
    let own = Card::of(weights).ok().flatten().map(|card| card.input);
    match own.filter(|own| own[..] != network.input().dims()[..] && said.contains("but the weights have")) {
        Some(own) => anyhow!("{said}; these weights take {}, not {}", times(&own), network.input()),
        None => error,
    }
}
