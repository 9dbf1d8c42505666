//! Weights that a command line names.

use anyhow::{Error, Result};
use std::path::Path;

/// What came of reading weights or giving them to a network; an error names the file.
pub fn of_file<T>(path: &Path, result: cnn_train::Result<T>) -> Result<T> {
    result.map_err(|error| {
        let name = path.display().to_string();
        let named = error.to_string().contains(&name);
        if named { error.into() } else { Error::from(error).context(name) }
    })
}
