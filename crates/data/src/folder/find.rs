//! What lies in a folder.

use crate::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// A class: a folder and its files, sorted by name.
pub(super) struct Class {
    pub(super) name: String,
    pub(super) files: Vec<PathBuf>,
}

/// The folders in `path` and the files in each, sorted; none may be empty.
pub(super) fn classes(path: &Path) -> Result<Vec<Class>, Error> {
    let mut classes = Vec::new();
    for folder in entries(path)?.into_iter().filter(|entry| entry.is_dir()) {
        let files = entries(&folder)?;
        if files.is_empty() {
            return Err(Error::EmptyClass { path: folder });
        }
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        classes.push(Class { name, files });
    }
    match classes.is_empty() {
        true => Err(Error::NoClass { path: path.to_path_buf() }),
        false => Ok(classes),
    }
}

fn entries(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let unread = |source| Error::Read { path: path.to_path_buf(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}
