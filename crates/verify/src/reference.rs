//! The tables of `tests/reference/networks`; the README there has the format.

use crate::error::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Shapes by path or tensor name.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// What a reference implementation says of one network.
#[derive(Clone, Debug, Deserialize)]
pub struct Table {
    /// The network's name, as in the zoo.
    pub name: String,
    /// Where the numbers are from.
    pub source: String,
    /// `[C, H, W]`.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Trained numbers, heads included.
    pub parameters: usize,
    /// Trained numbers without the heads.
    pub parameters_without_heads: usize,
    /// Multiply-accumulates of the evaluation of one sample.
    pub macs: usize,
    /// Shape of the logits.
    pub output: Vec<usize>,
    /// Every tensor, statistics included.
    pub tensors: Shapes,
    /// Output shapes of modules in evaluation.
    pub nodes: Shapes,
    /// Output shapes of the heads' modules.
    #[serde(default)]
    pub head_nodes: Shapes,
    /// A second input size.
    pub input2: Option<[usize; 3]>,
    /// Output shapes at the second size.
    #[serde(default)]
    pub nodes2: Shapes,
}

/// A folder of reference tables.
#[derive(Clone, Debug)]
pub struct Reference {
    folder: PathBuf,
}

impl Reference {
    /// The tables in `folder`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The table of a network, if there is one.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is no table.
    pub fn table(&self, network: &str) -> Result<Option<Table>> {
        let path = self.folder.join("networks").join(format!("{network}.json"));
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Names of all tables, in alphabetical order.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read.
    pub fn tables(&self) -> Result<Vec<String>> {
        let folder = self.folder.join("networks");
        let entries = std::fs::read_dir(&folder).map_err(|error| Error::file(&folder, error))?;
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| Error::file(&folder, error))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The file of the papers' numbers.
    pub(crate) fn papers(&self) -> PathBuf {
        self.folder.join("papers.json")
    }
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    serde_json::from_slice(&text).map_err(|error| Error::file(path, error))
}
