//! Checkpoints: all that a run needs to go on as if it had never stopped.
//!
//! A checkpoint is a folder with two files. `weights.safetensors` is a plain file of weights; `state.safetensors` holds
//! what lies beside them: the optimiser's memory, the moving average, and as metadata where in the run they were taken.
//! The folder is written under another name, to the disk, and renamed, so that what has a checkpoint's name is whole.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::training::Epoch;
use crate::weights::{Card, Tensors};
use crate::whole_file::{sync_folder, write_synced};
use cnn_core::Network;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const WEIGHTS: &str = "weights.safetensors";
const STATE: &str = "state.safetensors";
/// The one key of the state's metadata.
const KEY: &str = "checkpoint";
const PREFIX: &str = "step-";
const WRITING: &str = ".writing-";
const LEAVING: &str = ".leaving-";

/// Where a run is, and what it has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The epoch under way, counted from 1.
    pub(crate) epoch: usize,
    /// Batches of it that are done.
    pub(crate) batches: usize,
    /// Steps of it that are done.
    pub(crate) steps: usize,
    /// Images of it that were trained on.
    pub(crate) seen: usize,
    /// Those whose largest score was their label's.
    pub(crate) correct: usize,
    /// Sum of their losses.
    pub(crate) loss_sum: f64,
    /// Learning rate of the last step.
    pub(crate) learning_rate: f64,
    /// Seconds the epoch has taken.
    pub(crate) seconds: f64,
    /// Steps of the run.
    pub(crate) updates: usize,
    /// Training passes of the run, which dropout's masks are drawn by.
    pub(crate) passes: u64,
    /// The epochs that are over.
    pub(crate) epochs: Vec<Epoch>,
}

impl Position {
    /// Before the first step.
    pub(crate) fn start() -> Self {
        Self {
            epoch: 1,
            batches: 0,
            steps: 0,
            seen: 0,
            correct: 0,
            loss_sum: 0.0,
            learning_rate: 0.0,
            seconds: 0.0,
            updates: 0,
            passes: 0,
            epochs: Vec::new(),
        }
    }

    /// The name of a checkpoint here; later ones come later in the alphabet.
    fn name(&self) -> String {
        match self.batches {
            0 => format!("{PREFIX}{:08}-epoch-{:04}", self.updates, self.epoch - 1),
            _ => format!("{PREFIX}{:08}", self.updates),
        }
    }

    /// Before the first step of the epoch after `epoch`.
    pub(crate) fn after(self, epoch: Epoch) -> Self {
        let mut epochs = self.epochs;
        epochs.push(epoch);
        let Self { epoch, learning_rate, updates, passes, .. } = self;
        Self { epoch: epoch + 1, learning_rate, updates, passes, epochs, ..Self::start() }
    }
}

/// What a checkpoint is of: a run goes on only with the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    position: Position,
    settings: Settings,
    engine: Engine,
    /// Of the weights' file.
    checksum: u32,
}

/// A checkpoint as it is read.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    /// The weights, by name.
    pub(crate) weights: HashMap<String, Vec<f32>>,
    /// The state beside them, by name.
    pub(crate) state: HashMap<String, Vec<f32>>,
}

/// What is written.
pub(crate) struct Taken<'a> {
    pub(crate) position: &'a Position,
    pub(crate) settings: &'a Settings,
    pub(crate) engine: Engine,
    pub(crate) card: &'a Card,
    pub(crate) weights: &'a Tensors<'a>,
    pub(crate) state: &'a Tensors<'a>,
}

/// What is to go on.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) network: &'a Network,
    pub(crate) card: &'a Card,
    pub(crate) settings: &'a Settings,
    pub(crate) engine: Engine,
}

/// Writes a checkpoint into `folder`, then removes all but the newest `keep`.
///
/// # Errors
///
/// A folder that cannot be written, a full disk; what was there stays.
pub(crate) fn write(folder: &Path, taken: &Taken<'_>, keep: usize) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::file(folder, "cannot make the folder"))?;
    let path = folder.join(taken.position.name());
    // The same step of the same run has the same bits.
    if !path.exists() {
        let temporary = tempfile::Builder::new()
            .prefix(WRITING)
            .tempdir_in(folder)
            .map_err(Error::file(folder, "cannot write into the folder"))?;
        let weights = taken.weights.to_bytes(&path, Some(taken.card.as_metadata(&path)?))?;
        let header = Header {
            position: taken.position.clone(),
            settings: taken.settings.clone(),
            engine: taken.engine,
            checksum: crc32fast::hash(&weights),
        };
        let header = serde_json::to_string(&header).map_err(|e| Error::file(&path, "cannot write")(e.into()))?;
        let state = taken.state.to_bytes(&path, Some(HashMap::from([(KEY.to_string(), header)])))?;
        for (name, bytes) in [(WEIGHTS, &weights), (STATE, &state)] {
            write_synced(&temporary.path().join(name), bytes)?;
        }
        sync_folder(temporary.path())?;
        let written = temporary.keep();
        std::fs::rename(&written, &path).map_err(Error::file(&path, "cannot write"))?;
        sync_folder(folder)?;
    }
    remove_old(folder, keep)
}

/// The newest checkpoint in `folder`; `None` where there is none. Whatever was being written or removed when a run
/// ended goes away.
///
/// # Errors
///
/// A checkpoint that cannot be read, is damaged, or is of another network or other settings.
pub(crate) fn newest(folder: &Path, wanted: &Wanted<'_>) -> Result<Option<Checkpoint>> {
    clean(folder)?;
    list(folder)?.pop().map(|path| read(&path, wanted)).transpose()
}

fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Checkpoint> {
    let Wanted { network, card, settings, engine } = *wanted;
    let file = |name: &str| {
        let path = path.join(name);
        std::fs::read(&path).map_err(Error::file(path, "cannot read"))
    };
    let damaged = |name: &str, problem: String| Error::Checkpoint {
        path: path.join(name),
        problem: format!("damaged: {problem}"),
    };
    let (weights, state) = (file(WEIGHTS)?, file(STATE)?);
    let (_, metadata) = SafeTensors::read_metadata(&state).map_err(|e| damaged(STATE, e.to_string()))?;
    let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let header = header.ok_or_else(|| damaged(STATE, "it says nothing of where it was taken".to_string()))?;
    let header: Header = serde_json::from_str(header).map_err(|e| damaged(STATE, e.to_string()))?;
    if header.checksum != crc32fast::hash(&weights) {
        return Err(damaged(WEIGHTS, "its checksum is not the one it was written with".to_string()));
    }
    let found = Card::of_file(&weights).map_err(|problem| damaged(WEIGHTS, problem))?;
    let other = |problem: String| Error::Checkpoint { path: path.to_path_buf(), problem };
    match found {
        Some(found) if found.network != card.network => {
            return Err(other(format!("of {}, not of {}", found.network, card.network)));
        }
        Some(found) if found != *card => {
            return Err(other(format!(
                "taken on {} with {} classes and images of {:?}, not on {} with {} and {:?}",
                found.dataset,
                found.classes.len(),
                found.input,
                card.dataset,
                card.classes.len(),
                card.input
            )));
        }
        _ => {}
    }
    if header.engine != engine {
        return Err(other(format!("taken with the engine {:?}, not with {engine:?}", header.engine).to_lowercase()));
    }
    if header.settings != *settings {
        return Err(other("taken with other settings".to_string()));
    }
    let weights = Tensors::numbers(&weights).map_err(|problem| damaged(WEIGHTS, problem))?;
    let state = Tensors::numbers(&state).map_err(|problem| damaged(STATE, problem))?;
    for spec in network.tensors() {
        let found = weights.get(&spec.name).map_or(0, Vec::len);
        if found != spec.elements() {
            return Err(other(format!("{} has {found} numbers, not {}", spec.name, spec.elements())));
        }
    }
    Ok(Checkpoint { position: header.position, weights, state })
}

/// Whether `folder` has a checkpoint.
pub(crate) fn any(folder: &Path) -> Result<bool> {
    Ok(!list(folder)?.is_empty())
}

/// The checkpoints in `folder`, oldest first.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| starts_with(path, PREFIX)).collect();
    found.sort();
    Ok(found)
}

fn remove_old(folder: &Path, keep: usize) -> Result<()> {
    let mut checkpoints = list(folder)?;
    checkpoints.truncate(checkpoints.len().saturating_sub(keep.max(1)));
    for path in checkpoints {
        // Without its name at once, whatever comes in between.
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let leaving = folder.join(format!("{LEAVING}{name}"));
        std::fs::rename(&path, &leaving).map_err(Error::file(&path, "cannot remove"))?;
        std::fs::remove_dir_all(&leaving).map_err(Error::file(&leaving, "cannot remove"))?;
    }
    Ok(())
}

fn clean(folder: &Path) -> Result<()> {
    for path in entries(folder)? {
        if starts_with(&path, WRITING) || starts_with(&path, LEAVING) {
            std::fs::remove_dir_all(&path).map_err(Error::file(&path, "cannot remove"))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::file(folder, "cannot read"))?,
    };
    let paths: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    paths.map_err(Error::file(folder, "cannot read"))
}

fn starts_with(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}
