//! The folder of a run: weights, figures, the recipe, checkpoints.

use crate::checkpoint::{self, Checkpoint, Taken, Wanted};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::training::Epoch;
use crate::weights::{Card, Tensors};
use crate::whole_file::write_whole;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

const BEST: &str = "best.safetensors";
const LAST: &str = "last.safetensors";
const METRICS: &str = "metrics.jsonl";
const CONFIG: &str = "config.json";
const RECIPE: &str = "recipe.toml";
const CHECKPOINTS: &str = "checkpoints";

/// The folder a run writes to. Every file in it is whole at every moment.
///
/// | file | |
/// | --- | --- |
/// | `best.safetensors` | weights of the epoch with the highest test accuracy |
/// | `last.safetensors` | weights after the last finished epoch |
/// | `metrics.jsonl` | an [`Epoch`] a line |
/// | `config.json` | what was trained on what |
/// | `recipe.toml` | the settings, to run it again |
/// | `checkpoints/step-N` | what the run needs to go on |
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    checkpoints: Checkpoints,
    resumed: bool,
}

/// When checkpoints are taken, and how many are kept. There is one after every epoch and one when a run is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// How many of the newest are kept, at least one.
    pub keep: usize,
    /// When there is one between two epochs.
    pub every: Every,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// After so many steps.
    Steps(usize),
    /// After such a time.
    Time(Duration),
}

impl Default for Checkpoints {
    /// The newest one; every ten minutes.
    fn default() -> Self {
        Self { keep: 1, every: Every::Time(Duration::from_secs(600)) }
    }
}

impl RunFolder {
    /// Makes the folder `path`, or takes it if it holds no run.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written, or that holds a run already.
    pub fn create(path: &Path) -> Result<Self> {
        match [LAST, BEST, METRICS, RECIPE, CHECKPOINTS].into_iter().find(|file| path.join(file).exists()) {
            Some(file) => Err(Error::FolderTaken { path: path.to_path_buf(), file }),
            None => Self::create_or_overwrite(path),
        }
    }

    /// Makes the folder `path`; what an earlier run left there is removed or replaced.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written.
    pub fn create_or_overwrite(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(Error::file(path, "cannot make the folder"))?;
        // Better to learn now than after the first epoch.
        tempfile::tempfile_in(path).map_err(Error::file(path, "cannot write into the folder"))?;
        for file in [LAST, BEST, METRICS, RECIPE, CHECKPOINTS] {
            let file = path.join(file);
            let removed = if file.is_dir() { std::fs::remove_dir_all(&file) } else { std::fs::remove_file(&file) };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::file(file, "cannot replace")(error));
                }
                _ => {}
            }
        }
        Ok(Self { path: path.to_path_buf(), checkpoints: Checkpoints::default(), resumed: false })
    }

    /// Takes the folder of a run that ended before it was done: [`train`](crate::train) goes on from its newest
    /// checkpoint, or from the beginning if it came to none.
    ///
    /// # Errors
    ///
    /// A folder that holds no run.
    pub fn resume(path: &Path) -> Result<Self> {
        if !path.join(RECIPE).exists() {
            return Err(Error::NoRun { path: path.to_path_buf(), file: RECIPE });
        }
        Ok(Self { path: path.to_path_buf(), checkpoints: Checkpoints::default(), resumed: true })
    }

    /// The same with other checkpoints.
    #[must_use]
    pub fn checkpointing(self, checkpoints: Checkpoints) -> Self {
        Self { checkpoints, ..self }
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

    /// The recipe the run was started with.
    pub fn recipe(&self) -> PathBuf {
        self.path.join(RECIPE)
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

    /// Writes the recipe that repeats the run; from then on the folder holds a run.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn write_recipe(&self, recipe: &Recipe) -> Result<()> {
        write_whole(&self.recipe(), recipe.to_toml()?.as_bytes())
    }

    /// Whether there is a checkpoint to go on from.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read.
    pub fn has_checkpoint(&self) -> Result<bool> {
        checkpoint::any(&self.path.join(CHECKPOINTS))
    }

    pub(crate) fn when(&self) -> Every {
        self.checkpoints.every
    }

    /// The checkpoint to go on from, if the run is one that goes on.
    pub(crate) fn newest(&self, wanted: &Wanted<'_>) -> Result<Option<Checkpoint>> {
        if self.resumed { checkpoint::newest(&self.path.join(CHECKPOINTS), wanted) } else { Ok(None) }
    }

    pub(crate) fn keep_checkpoint(&self, taken: &Taken<'_>) -> Result<()> {
        checkpoint::write(&self.path.join(CHECKPOINTS), taken, self.checkpoints.keep)
    }

    /// Keeps the weights after an epoch.
    pub(crate) fn keep_weights(&self, weights: &Tensors<'_>, card: &Card, best: bool) -> Result<()> {
        weights.write(&self.last(), card)?;
        if best { weights.write(&self.best(), card) } else { Ok(()) }
    }

    /// Writes the figures of all epochs so far.
    pub(crate) fn keep_metrics(&self, epochs: &[Epoch]) -> Result<()> {
        let path = self.path.join(METRICS);
        if epochs.is_empty() && !path.exists() {
            return Ok(());
        }
        let mut text = String::new();
        for epoch in epochs {
            text += &serde_json::to_string(epoch).map_err(|e| Error::file(&path, "cannot write")(e.into()))?;
            text.push('\n');
        }
        write_whole(&path, text.as_bytes())
    }
}
