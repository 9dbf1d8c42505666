//! Weights that a command line names.

use anyhow::{Error, Result};
use cnn_core::Weights;
use cnn_zoo::Entry;
use std::error;
use std::path::Path;

/// What came of reading weights or giving them to a network; an error names the file.
pub fn of_file<T, E: error::Error + Send + Sync + 'static>(path: &Path, result: Result<T, E>) -> Result<T> {
    result.map_err(|error| {
        let name = path.display().to_string();
        let named = error.to_string().contains(&name);
        if named { error.into() } else { Error::from(error).context(name) }
    })
}

/// The number of classes that the weights are for: read from a tensor whose shape depends on it.
pub fn classes_of(entry: &Entry, weights: &Weights) -> Result<usize> {
    let [few, more] = [2, 3].map(|classes| entry.architecture(classes).without_heads().at_usual_input());
    let (few, more) = (few?, more?);
    let of_classes = few.tensors().zip(more.tensors()).find(|(a, b)| a.dims != b.dims);
    let found =
        of_classes.and_then(|(spec, _)| weights.get(&spec.name)).and_then(|tensor| tensor.dims().first().copied());
    Ok(found.unwrap_or(entry.classes))
}
