//! Weights that a command line names.

use anyhow::{Error, Result};
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
