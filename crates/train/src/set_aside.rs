//! A run that is to be replaced, kept until the new one has something to show.

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::run_files::{BEST, CHECKPOINTS, CONFIG, EVENT_FILE, EVENTS, JUDGEMENT, LAST, METRICS, RECIPE};
use std::path::{Path, PathBuf};

/// Where the files of a run are kept that is to be replaced: `.replacing` while they are moved there or back, then
/// `.replaced`. Each move is a renaming, so whatever moment a program is killed at, all files are there.
pub(crate) struct SetAside<'a> {
    folder: &'a Path,
}

impl<'a> SetAside<'a> {
    /// Of the run in `folder`.
    pub(crate) fn of(folder: &'a Path) -> Self {
        Self { folder }
    }

    fn moving(&self) -> PathBuf {
        self.folder.join(".replacing")
    }

    fn replaced(&self) -> PathBuf {
        self.folder.join(".replaced")
    }

    fn leaving(&self) -> PathBuf {
        self.folder.join(".leaving")
    }

    /// Whether something was set aside.
    pub(crate) fn exists(&self) -> bool {
        self.moving().exists() || self.replaced().exists()
    }

    /// Sets a run's files aside, and nothing else that lies beside them.
    pub(crate) fn set(&self) -> Result<()> {
        let moving = self.moving();
        for name in
            [LAST, BEST, METRICS, JUDGEMENT, CONFIG, RECIPE].map(PathBuf::from).into_iter().chain(self.entries()?)
        {
            move_to(&self.folder.join(&name), &moving.join(&name))?;
        }
        remove_if_empty(&self.folder.join(CHECKPOINTS));
        rename(&moving, &self.replaced())
    }

    /// The checkpoints and event files, relative to the folder.
    fn entries(&self) -> Result<Vec<PathBuf>> {
        let own = |folder: &'static str, is_own: fn(&str) -> bool| -> Result<Vec<PathBuf>> {
            let entries = checkpoint::entries(&self.folder.join(folder))?.into_iter();
            let names = entries.filter_map(|path| path.file_name()?.to_str().map(str::to_string));
            Ok(names.filter(|name| is_own(name)).map(|name| Path::new(folder).join(name)).collect())
        };
        let events = own(EVENTS, |name| name.starts_with(EVENT_FILE))?;
        Ok([own(CHECKPOINTS, checkpoint::is_own)?, events].concat())
    }

    /// After a program that was killed: finishes what it had begun. `results` says whether the new run has something to
    /// show, `stays` whether it may have its place without.
    pub(crate) fn settle(&self, results: bool, stays: bool) -> Result<()> {
        remove(&self.leaving())?;
        if self.moving().exists() {
            return self.put_back();
        }
        match (results, stays) {
            (true, _) => self.discard(),
            (false, true) => Ok(()),
            (false, false) => self.put_back(),
        }
    }

    /// Puts the old run back; of the new one its recipe, its configuration and its events go.
    pub(crate) fn put_back(&self) -> Result<()> {
        let (moving, replaced) = (self.moving(), self.replaced());
        if replaced.exists() {
            for name in [CONFIG, RECIPE] {
                // What the old run has of them comes in their place in any case.
                if !replaced.join(name).exists() {
                    remove(&self.folder.join(name))?;
                }
            }
            for event_file in self.entries()?.iter().filter(|path| path.starts_with(EVENTS)) {
                remove(&self.folder.join(event_file))?;
            }
            rename(&replaced, &moving)?;
        }
        for path in checkpoint::entries(&moving)? {
            let name = path.file_name().unwrap_or_default();
            let place = self.folder.join(name);
            if path.is_dir() && (name == CHECKPOINTS || name == EVENTS) {
                for inner in checkpoint::entries(&path)? {
                    move_to(&inner, &place.join(inner.file_name().unwrap_or_default()))?;
                }
            } else {
                move_to(&path, &place)?;
            }
        }
        remove(&moving)
    }

    /// Removes the old run for good.
    pub(crate) fn discard(&self) -> Result<()> {
        let replaced = self.replaced();
        if replaced.exists() {
            rename(&replaced, &self.leaving())?;
            remove(&self.leaving())?;
        }
        Ok(())
    }
}

/// Moves a file or folder, if it is there, into a folder that is made for it.
fn move_to(from: &Path, to: &Path) -> Result<()> {
    if from.symlink_metadata().is_err() {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(Error::file(parent, "cannot make the folder"))?;
    }
    rename(from, to)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        renamed => renamed.map_err(Error::file(from, "cannot replace")),
    }
}

/// Removes a file or folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::file(path, "cannot remove")),
    }
}

fn remove_if_empty(folder: &Path) {
    // A folder that holds something stays.
    let _ = std::fs::remove_dir(folder);
}
