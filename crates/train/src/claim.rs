//! One program at a time in a folder, and only in folders that are its own.

use crate::checkpoint;
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file that says a folder is this program's, and that is locked while something writes there.
const MARK: &str = cnn_data::RUN_MARK;

/// A folder that this process alone writes to, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Claim {
    folder: PathBuf,
    file: File,
}

/// Where a folder that was claimed is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// At its path.
    There,
    /// Elsewhere, as the system says.
    Moved(PathBuf),
    /// It was removed, or moved to where it cannot be found.
    Gone,
}

impl Claim {
    /// Claims `folder`, which is made if it is not there. `names` are what the caller is about to write: a folder that
    /// has one of them, but was never claimed, is somebody else's.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written, that another process has claimed, or that is somebody else's: it stays
    /// as it is.
    pub fn take(folder: &Path, names: &[&'static str]) -> Result<Self> {
        if !Self::marks(folder)
            && let Some(file) = names.iter().find(|name| folder.join(name).symlink_metadata().is_ok())
        {
            return Err(Error::FolderForeign { path: folder.to_path_buf(), file });
        }
        std::fs::create_dir_all(folder).map_err(Error::file(folder, "cannot make the folder"))?;
        Self::lock(folder)
    }

    /// Whether `folder` was claimed before.
    pub(crate) fn marks(folder: &Path) -> bool {
        folder.join(MARK).is_file()
    }

    /// Claims a folder that is there, whatever it holds. What was being written when an earlier claim ended goes away.
    ///
    /// # Errors
    ///
    /// As [`Claim::take`].
    pub(crate) fn lock(folder: &Path) -> Result<Self> {
        let failed = |error| Error::file(folder, "cannot write into the folder")(error);
        let path = folder.join(MARK);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::FolderInUse { path: folder.to_path_buf() }),
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                tracing::warn!("{}: its file system has no locks; nothing else must write there", folder.display());
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if file.metadata().map_err(failed)?.len() == 0 {
            file.write_all(b"cnn-train writes to this folder, and locks this file while it does.\n").map_err(failed)?;
        } else {
            checkpoint::remove_unfinished(folder)?;
        }
        Ok(Self { folder: folder.to_path_buf(), file })
    }

    /// Where the folder is now.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        if self.is_at(&self.folder) {
            return Whereabouts::There;
        }
        match self.current() {
            Some(folder) if self.is_at(&folder) => Whereabouts::Moved(folder),
            _ => Whereabouts::Gone,
        }
    }

    #[cfg(unix)]
    fn is_at(&self, folder: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let same = |a: &std::fs::Metadata, b: &std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        match (folder.join(MARK).metadata(), self.file.metadata()) {
            (Ok(found), Ok(own)) => same(&found, &own),
            _ => false,
        }
    }

    #[cfg(not(unix))]
    fn is_at(&self, folder: &Path) -> bool {
        Self::marks(folder)
    }

    /// The folder of the open file, where the system tells.
    #[cfg(target_os = "linux")]
    fn current(&self) -> Option<PathBuf> {
        use std::os::fd::AsRawFd;
        let file = std::fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd())).ok()?;
        file.parent().map(Path::to_path_buf)
    }

    #[cfg(not(target_os = "linux"))]
    fn current(&self) -> Option<PathBuf> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_claimed_once_and_again_when_it_is_free() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run");
        let claim = Claim::take(&folder, &["file"]).unwrap();
        let message = Claim::take(&folder, &["file"]).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{}: another training", folder.display())), "{message}");
        std::fs::write(folder.join("file"), "own").unwrap();
        drop(claim);
        Claim::take(&folder, &["file"]).unwrap();
    }

    #[test]
    fn what_somebody_else_has_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "theirs").unwrap();
        assert!(matches!(
            Claim::take(folder.path(), &["other", "file"]),
            Err(Error::FolderForeign { file: "file", .. })
        ));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        Claim::take(folder.path(), &["other"]).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_is_moved_is_found_and_one_that_is_removed_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let [here, there] = ["here", "there"].map(|name| parent.path().join(name));
        let claim = Claim::take(&here, &[]).unwrap();
        assert_eq!(claim.whereabouts(), Whereabouts::There);
        std::fs::rename(&here, &there).unwrap();
        // Another run may have taken its place.
        let _other = Claim::take(&here, &[]).unwrap();
        assert_eq!(claim.whereabouts(), Whereabouts::Moved(there.canonicalize().unwrap()));
        std::fs::remove_dir_all(&there).unwrap();
        assert_eq!(claim.whereabouts(), Whereabouts::Gone);
    }
}
