//! Checkpoints: all that a run needs to go on as if it had never stopped.
//!
//! A checkpoint is a folder of files. `weights.safetensors` is a plain file of the weights that are trained, and
//! `average.safetensors` one of their average, where there is one; `state.safetensors` holds what lies beside them: the
//! optimiser's memory, and as metadata where in the run they were taken; `checksums` has a line for each of the others. The
//! folder is written under another name, to the disk, and renamed, so that what has a checkpoint's name is whole; the
//! checksums show whether it still is.

mod checksums;
mod position;
mod reading;

pub(crate) use position::{Extent, Position};
pub(crate) use reading::{Checkpoint, Wanted, newest};

use crate::changes::DataMark;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::run_files::REPORT;
use crate::settings::Settings;
use crate::weights::file_of;
use crate::whole_file::{make_within, sync_folder, write_synced};
use cnn_core::whole::WRITING;
use cnn_data::Card;
use cnn_weights::BorrowedWeights;
use position::PREFIX;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const WEIGHTS: &str = "weights.safetensors";
const AVERAGE: &str = "average.safetensors";
const STATE: &str = "state.safetensors";
/// The one key of the state's metadata.
const KEY: &str = "checkpoint";
const LEAVING: &str = ".leaving-";
/// A checkpoint that is damaged, out of the way of the run that goes on from an older one.
const DAMAGED: &str = "damaged-";

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    position: Position,
    settings: Settings,
    engine: Engine,
    /// What was trained on; checkpoints of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<DataMark>,
    #[serde(default)]
    history: History,
}

/// What a run has become since its first step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct History {
    /// Whether settings were changed on the way.
    pub(crate) changed: bool,
    /// How many steps had been taken when the rule by which weights are changed was.
    pub(crate) rule_since: usize,
    /// How many epochs were over when the schedule of the learning rate was.
    #[serde(default)]
    pub(crate) schedule_since: usize,
}

/// What is written.
pub(crate) struct Taken<'a> {
    pub(crate) position: &'a Position,
    pub(crate) settings: &'a Settings,
    pub(crate) engine: Engine,
    pub(crate) card: &'a Card,
    pub(crate) data: Option<&'a DataMark>,
    pub(crate) history: History,
    pub(crate) weights: &'a BorrowedWeights<'a>,
    pub(crate) average: Option<&'a BorrowedWeights<'a>>,
    pub(crate) state: &'a BorrowedWeights<'a>,
}

impl Taken<'_> {
    /// The bytes of its files, which no longer depend on what is trained.
    pub(crate) fn pack(&self) -> Result<Packed> {
        let name = self.position.name();
        let header = Header {
            position: self.position.clone(),
            settings: self.settings.clone(),
            engine: self.engine,
            data: self.data.cloned(),
            history: self.history,
        };
        let header = serde_json::to_string(&header).map_err(|e| Error::file(&name, "cannot write")(e.into()))?;
        let mut files = Vec::new();
        for (file, weights) in [(WEIGHTS, Some(self.weights)), (AVERAGE, self.average)] {
            if let Some(weights) = weights {
                files.push((file, file_of(weights.clone(), self.card, &Path::new(&name).join(file))?));
            }
        }
        files.push((STATE, self.state.clone().with_metadata(KEY, header).to_bytes(&name)?));
        Ok(Packed { name, files })
    }
}

/// A checkpoint as it is written.
#[derive(Debug)]
pub(crate) struct Packed {
    name: String,
    /// Each with its name.
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Packed {
    /// How many bytes its files have.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }
}

/// Writes a checkpoint into `folder`, which is made if the run's folder is there, then removes all but the newest `keep`.
/// Before it has its name, `beside` is called with the file of its weights that are worth keeping, the average where there is
/// one, and whether it is new: what belongs to it is done by then. One that is there stays: the same step of the same run has the same bits, and settings that changed since then
/// are not in it.
///
/// # Errors
///
/// A run's folder that was moved or removed, which is not made anew: it would be nobody's; a file where the folder should be;
/// a folder that cannot be written; a full disk; what was there stays.
pub(crate) fn write(
    folder: &Path,
    packed: &Packed,
    keep: usize,
    beside: impl FnOnce(&Path, bool) -> Result<()>,
) -> Result<()> {
    make_within(folder)?;
    let path = folder.join(&packed.name);
    if path.exists() {
        beside(&worth_keeping(&path), false)?;
        return remove_old(folder, keep);
    }
    let temporary = tempfile::Builder::new()
        .prefix(WRITING)
        .tempdir_in(folder)
        .map_err(Error::file(folder, "cannot write into the folder"))?;
    for (name, bytes) in &packed.files {
        write_synced(&temporary.path().join(name), bytes)?;
    }
    write_synced(&temporary.path().join(checksums::CHECKSUMS), checksums::text(&packed.files).as_bytes())?;
    sync_folder(temporary.path())?;
    // From here on it stays, whatever fails: it says that what lies beside it came of no checkpoint yet.
    let written = temporary.keep();
    beside(&worth_keeping(&written), true)?;
    std::fs::rename(&written, &path).map_err(Error::file(&path, "cannot write"))?;
    sync_folder(folder)?;
    clean(folder)?;
    remove_old(folder, keep)
}

/// The file of a checkpoint's weights that are worth keeping.
fn worth_keeping(path: &Path) -> PathBuf {
    let average = path.join(AVERAGE);
    if average.exists() { average } else { path.join(WEIGHTS) }
}

/// The weights worth keeping after so many epochs, if `folder` has them still.
pub(crate) fn weights_of(folder: &Path, epochs: usize) -> Result<Option<PathBuf>> {
    let end = format!("-epoch-{epochs:04}");
    let found = list(folder)?.into_iter().rev().find(|path| path.to_string_lossy().ends_with(&end));
    Ok(found.map(|path| worth_keeping(&path)))
}

/// Whether a checkpoint in `folder` was being written when its run was ended.
pub(crate) fn was_being_written(folder: &Path) -> Result<bool> {
    Ok(entries(folder)?.iter().any(|path| starts_with(path, WRITING)))
}

/// Whether `folder` has a checkpoint.
pub(crate) fn any(folder: &Path) -> Result<bool> {
    Ok(count(folder)? > 0)
}

/// How many checkpoints there are.
pub(crate) fn count(folder: &Path) -> Result<usize> {
    Ok(list(folder)?.len())
}

/// Whether a file or folder of this name is a checkpoint, or what became of one.
pub(crate) fn is_own(name: &str) -> bool {
    [PREFIX, WRITING, LEAVING, DAMAGED].iter().any(|prefix| name.starts_with(prefix))
}

/// The checkpoints in `folder`, oldest first.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let found = entries(folder)?.into_iter();
    let mut found: Vec<PathBuf> = found.filter(|path| starts_with(path, PREFIX) && path.is_dir()).collect();
    // By number: there may be more steps than a name has digits.
    found.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let rest = name.strip_prefix(PREFIX).unwrap_or_default();
        let (steps, epoch) = rest.split_once("-epoch-").unwrap_or((rest, ""));
        (steps.parse::<u64>().ok(), epoch.parse::<u64>().ok(), name.clone())
    });
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
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes what a program was killed over while it wrote it, in a folder that is claimed and in its report.
pub(crate) fn remove_unfinished(claimed: &Path) -> Result<()> {
    for path in [entries(claimed)?, entries(&claimed.join(REPORT))?].concat() {
        match starts_with(&path, WRITING) {
            true if path.is_dir() => remove(&path)?,
            true => std::fs::remove_file(&path).map_err(Error::file(&path, "cannot remove"))?,
            false => {}
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::file(folder, "cannot remove")),
    }
}

/// The entries of a folder, in no order; none where there is no folder.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        entries => entries.map_err(Error::file(folder, "cannot read"))?,
    };
    let paths: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    paths.map_err(Error::file(folder, "cannot read"))
}

fn starts_with(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed() -> Packed {
        Packed { name: "step-00000001".to_string(), files: vec![(WEIGHTS, vec![1]), (STATE, vec![2])] }
    }

    #[test]
    fn checkpoints_are_in_the_order_of_their_steps() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["step-00000004", "step-00000004-epoch-0001", "step-99999999", "step-100000000-epoch-12345"];
        for name in names.iter().rev() {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let found: Vec<PathBuf> = list(folder.path()).unwrap();
        assert_eq!(found, names.map(|name| folder.path().join(name)));
    }

    #[test]
    fn a_run_s_folder_that_was_removed_is_not_made_anew() {
        let place = tempfile::tempdir().unwrap();
        let run = place.path().join("run");
        let packed = packed();
        write(&run.join("checkpoints"), &packed, 1, |_, _| Ok(())).unwrap_err();
        assert!(!run.exists());
        std::fs::create_dir(&run).unwrap();
        for _ in 0..2 {
            write(&run.join("checkpoints"), &packed, 1, |_, _| Ok(())).unwrap();
        }
        assert_eq!(list(&run.join("checkpoints")).unwrap(), [run.join("checkpoints/step-00000001")]);
    }

    #[test]
    fn a_file_in_the_folder_s_place_is_named_and_stays() {
        let run = tempfile::tempdir().unwrap();
        let place = run.path().join("checkpoints");
        std::fs::write(&place, "in the way").unwrap();
        let message = write(&place, &packed(), 1, |_, _| Ok(())).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{}: cannot make the folder: ", place.display())), "{message}");
        assert_eq!(std::fs::read(&place).unwrap(), b"in the way");
    }
}
