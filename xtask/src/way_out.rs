//! What helps where a name, a size or an ending of a command line is wrong.

use anyhow::{Error, Result, anyhow, bail};
use cnn_core::network::NodeId;
use cnn_core::{Architecture, Network, weights};
use cnn_figures::path;
use cnn_zoo::UnknownNetwork;
use std::path::Path;

/// What helps against an error; mostly the command that lists the names that could have been said.
pub fn of(error: &Error) -> Option<&'static str> {
    const NETWORKS: &str = "cargo xtask list names all";
    const WEIGHTS: &str = "cargo xtask weights list names all";
    if error.downcast_ref::<UnknownNetwork>().is_some() {
        return Some(NETWORKS);
    }
    if let Some(cnn_catalogue::Error::Name { .. }) = error.downcast_ref() {
        return Some(WEIGHTS);
    }
    match error.downcast_ref()? {
        cnn_classifier::Error::Unknown { .. } => Some(NETWORKS),
        cnn_classifier::Error::NoWeights { .. } => Some(WEIGHTS),
        cnn_classifier::Error::Weights(weights::Error::OtherNetwork { .. }) => {
            Some("leave the name out: the weights say it")
        }
        _ => None,
    }
}

/// A node by its path.
///
/// # Errors
/// Where there is none, with the command that names all.
pub fn node(network: &Network, node: &str) -> Result<NodeId> {
    network.find(node).map_err(|error| anyhow!("{error} (cargo xtask summary {} names all)", network.name()))
}

/// An error of a network that reads images of `side` pixels by `flag`; where those are too small, with the least that are not.
pub fn at_size(error: Error, flag: &str, architecture: &Architecture, [channels, side]: [usize; 2]) -> Error {
    const MOST: usize = 1024;
    let fits = |side: &usize| architecture.at([channels, *side, *side]).is_ok();
    match (side..=MOST).find(fits) {
        Some(least) if least > side => {
            error.context(format!("{flag} {side} is too small, expected at least {least} for {}", architecture.name()))
        }
        _ => error,
    }
}

/// Refuses a file to write whose name ends as another kind of file. A name without an ending says nothing false.
pub fn ends_in(file: &Path, endings: &[&str]) -> Result<()> {
    let Some(ending) = file.extension() else { return Ok(()) };
    if endings.iter().any(|known| ending == *known) {
        return Ok(());
    }
    let endings: Vec<String> = endings.iter().map(|ending| format!(".{ending}")).collect();
    bail!("{}: a file that ends in {} can be written", path(file), endings.join(" or "))
}
