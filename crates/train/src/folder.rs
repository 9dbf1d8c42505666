//! The folder of a run: `best.safetensors`, `last.safetensors`, `metrics.jsonl`, `config.json`.

use crate::error::{Error, Result};
use crate::training::Epoch;
use crate::weights::{Card, WeightsFile};
use crate::whole_file::write_whole;
use cnn_core::Model;
use serde::Serialize;
use std::path::{Path, PathBuf};

const BEST: &str = "best.safetensors";
const LAST: &str = "last.safetensors";
const METRICS: &str = "metrics.jsonl";
const CONFIG: &str = "config.json";

/// The folder a run writes to. Every file in it is whole at every moment.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    metrics: String,
}

impl RunFolder {
    /// Makes the folder `path`, or takes it if it holds no run.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written, or that holds a run already.
    pub fn create(path: &Path) -> Result<Self> {
        match [LAST, BEST, METRICS].into_iter().find(|file| path.join(file).exists()) {
            Some(file) => Err(Error::FolderTaken { path: path.to_path_buf(), file }),
            None => Self::create_or_overwrite(path),
        }
    }

    /// Makes the folder `path`; what an earlier run left there is replaced file by file.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written.
    pub fn create_or_overwrite(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(Error::file(path, "cannot make the folder"))?;
        // Better to learn now than after the first epoch.
        tempfile::tempfile_in(path).map_err(Error::file(path, "cannot write into the folder"))?;
        for file in [LAST, BEST, METRICS] {
            match std::fs::remove_file(path.join(file)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::file(path.join(file), "cannot replace")(error));
                }
                _ => {}
            }
        }
        Ok(Self { path: path.to_path_buf(), metrics: String::new() })
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The weights of the epoch with the highest accuracy.
    pub fn best(&self) -> PathBuf {
        self.path.join(BEST)
    }

    /// The weights after the last finished epoch.
    pub fn last(&self) -> PathBuf {
        self.path.join(LAST)
    }

    /// Writes what the run was started with.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn write_config(&self, config: &impl Serialize) -> Result<()> {
        let path = self.path.join(CONFIG);
        let text = serde_json::to_string_pretty(config).map_err(|e| Error::file(&path, "cannot write")(e.into()))?;
        write_whole(&path, (text + "\n").as_bytes())
    }

    pub(crate) fn keep_epoch(&mut self, epoch: &Epoch, best: bool, model: &Model, card: &Card) -> Result<()> {
        WeightsFile::write(&self.last(), model, card)?;
        if best {
            WeightsFile::write(&self.best(), model, card)?;
        }
        let path = self.path.join(METRICS);
        self.metrics += &serde_json::to_string(epoch).map_err(|e| Error::file(&path, "cannot write")(e.into()))?;
        self.metrics.push('\n');
        write_whole(&path, self.metrics.as_bytes())
    }
}
