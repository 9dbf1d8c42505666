//! What a run keeps, written beside the training.
//!
//! The bytes are made by whoever trains, since the weights change with the next step; all that waits for the disk is done
//! by another thread. No byte is written twice: the weights after an epoch are those of its checkpoint, or their average
//! there, and the best are the last, each by a link to the same file.

use crate::checkpoint::{self, Packed, Taken};
use crate::claim::Whereabouts;
use crate::epoch::Epoch;
use crate::error::{Error, Result};
use crate::folder::RunFolder;
use crate::run_files::CHECKPOINTS;
use crate::set_aside::SetAside;
use crate::whole_file::link_whole;
use cnn_core::{Bytes, memory};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// A checkpoint, and what else is kept with it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) checkpoint: Packed,
    /// Of an epoch that is over.
    pub(crate) epoch: Option<Finished>,
}

/// An epoch that is over.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it is the best so far.
    pub(crate) best: bool,
    /// All epochs so far.
    pub(crate) epochs: Vec<Epoch>,
}

impl Kept {
    fn bytes(&self) -> u64 {
        self.checkpoint.bytes()
    }
}

impl RunFolder {
    /// Writes a checkpoint and what belongs to it. What is on the disk at any moment is whole, and a run that goes on from
    /// it misses nothing: the checkpoint gets its name last.
    pub(crate) fn keep(&self, kept: &Kept) -> Result<()> {
        let keep = self.checkpoints().keep;
        checkpoint::write(&self.path().join(CHECKPOINTS), &kept.checkpoint, keep, |weights, new| {
            // Only now is it certain that the run goes on with the settings that were asked for.
            if new {
                self.describe_changes()?;
            }
            let Some(Finished { best, epochs }) = &kept.epoch else { return Ok(()) };
            link_whole(weights, &self.last())?;
            if *best {
                link_whole(&self.last(), &self.best())?;
            }
            self.keep_metrics(epochs)
        })?;
        SetAside::of(self.path()).discard()
    }

    /// Keeps a checkpoint of a run whose folder was moved or removed: where the folder is now, or in a new one in its
    /// place. The error that ends the run.
    pub(crate) fn lost(&self, taken: &Taken<'_>) -> Error {
        let path = self.path().to_path_buf();
        let write = |folder: &Path| -> Result<PathBuf> {
            checkpoint::write(&folder.join(CHECKPOINTS), &taken.pack()?, self.checkpoints().keep, |_, _| Ok(()))?;
            Ok(folder.to_path_buf())
        };
        let rescued = match self.whereabouts() {
            Whereabouts::There => write(&path),
            Whereabouts::Moved(folder) => write(&folder),
            Whereabouts::Gone => self.again().and_then(|again| write(again.path())),
        };
        let kept = match rescued {
            Ok(folder) => format!("--resume {} goes on from a checkpoint that was written there", folder.display()),
            Err(error) => format!("nothing more could be kept: {error}"),
        };
        Error::FolderLost { path, kept }
    }
}

/// Writes what a run keeps while the run goes on, one after the other.
pub(crate) struct Writer<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    folder: &'env RunFolder,
    under_way: Option<ScopedJoinHandle<'scope, Result<()>>>,
}

impl<'scope, 'env> Writer<'scope, 'env> {
    pub(crate) fn new(scope: &'scope Scope<'scope, 'env>, folder: &'env RunFolder) -> Self {
        Self { scope, folder, under_way: None }
    }

    pub(crate) fn folder(&self) -> &'env RunFolder {
        self.folder
    }

    /// Begins to write, when what was written before is done; where memory is scarce, it is written before the run goes on.
    ///
    /// # Errors
    ///
    /// Those of what was written before, or of what had to be written at once.
    pub(crate) fn begin(&mut self, kept: Kept) -> Result<()> {
        self.finish()?;
        // A step may need as much again for its gradients.
        let scarce = memory::ask(Bytes(kept.bytes())).is_err();
        let (folder, kept) = (self.folder, Arc::new(kept));
        let own = Arc::clone(&kept);
        match Builder::new().name("keeping".to_string()).spawn_scoped(self.scope, move || folder.keep(&own)) {
            Ok(thread) => {
                self.under_way = Some(thread);
                drop(kept);
                if scarce { self.finish() } else { Ok(()) }
            }
            // A system that makes no thread writes while the run waits.
            Err(_) => folder.keep(&kept),
        }
    }

    /// Gives the error of what has been written, if it is done.
    pub(crate) fn look(&mut self) -> Result<()> {
        match self.under_way.as_ref().is_some_and(ScopedJoinHandle::is_finished) {
            true => self.finish(),
            false => Ok(()),
        }
    }

    /// Waits until all is written.
    pub(crate) fn finish(&mut self) -> Result<()> {
        match self.under_way.take().map(ScopedJoinHandle::join) {
            None => Ok(()),
            Some(Ok(written)) => written,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}
