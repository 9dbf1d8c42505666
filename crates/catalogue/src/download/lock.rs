//! One download of a file at a time, among threads and processes.

use crate::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// A lock that is held while it lives; the system lets go of it should the process die.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until nobody else holds `path`, which is made where it is not there and stays.
    pub(super) fn wait(path: &Path) -> Result<Self> {
        let failed = |source| Error::Write { path: path.to_path_buf(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.to_path_buf(), source })?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                tracing::warn!("{}: somebody else fetches the file, and is waited for", path.display());
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                tracing::warn!("{}: its file system has no locks; nobody else must fetch the file now", path.display());
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Self { _file: file })
    }
}
