//! What lies in a folder of classes.

use crate::{Error, picture_file};
use std::fs;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// A file of this name says that the folder it lies in is a run's: what that wrote is no class and no picture of one.
pub const RUN_MARK: &str = ".cnn-run";
/// The file of the weights of a run's best epoch, in its folder.
pub const RUN_BEST: &str = "best.safetensors";

/// What macOS puts beside the folders of an archive, with a hidden file for each file.
const OF_ARCHIVE: &str = "__MACOSX";

/// The classes of a folder, and what else lies there.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) classes: Vec<Class>,
    /// What is no picture of a class: neither named like one nor beginning like one, beside the classes, or a run's folder.
    pub(crate) strays: Vec<PathBuf>,
}

/// Files, each with the number of its class.
pub(super) type Labelled = Vec<(PathBuf, u32)>;

/// A class: a folder and its files, sorted by name.
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) files: Vec<PathBuf>,
}

/// The folders in `path` and the pictures in each at any depth, sorted by name; what is hidden is passed over.
pub(crate) fn classes(path: &Path) -> Result<Found, Error> {
    let mut found = Found::default();
    for entry in entries(path)? {
        if entry.is_dir() && !is_run(&entry) && !entry.ends_with(OF_ARCHIVE) {
            if entry.file_name().is_some_and(|name| name.to_str().is_none()) {
                return Err(Error::ClassName { path: entry });
            }
            let class = class(entry, &mut found.strays)?;
            found.classes.push(class);
        } else {
            found.strays.push(entry);
        }
    }
    match found.classes.is_empty() {
        true => Err(Error::NoClass { path: path.to_path_buf() }),
        false => Ok(found),
    }
}

/// Refuses a class without pictures.
pub(super) fn intact(found: Found) -> Result<Found, Error> {
    match found.classes.iter().find(|class| class.files.is_empty()) {
        Some(class) => Err(Error::EmptyClass { path: class.path.clone() }),
        None => Ok(found),
    }
}

/// All that lies in a class's folder. Links to files are followed; one to a folder within is no picture, wherever it leads.
fn class(path: PathBuf, strays: &mut Vec<PathBuf>) -> Result<Class, Error> {
    let mut files = Vec::new();
    let mut walk = WalkDir::new(&path).min_depth(1).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| {
            let place = error.path().unwrap_or(&path).to_path_buf();
            Error::Read { path: place, source: error.into() }
        })?;
        let (hidden, is_folder) = (is_hidden(entry.path()), entry.file_type().is_dir());
        let named = picture_file::is_named_like_a_picture(entry.path());
        let of_run = is_folder && !hidden && is_run(entry.path());
        if is_folder && (hidden || named || of_run) {
            walk.skip_current_dir();
        }
        if of_run {
            strays.push(entry.into_path());
            continue;
        }
        if hidden || is_folder && !named {
            continue;
        }
        match is_picture(entry.path()) {
            true => files.push(entry.into_path()),
            false => strays.push(entry.into_path()),
        }
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Class { name, path, files })
}

/// Whether there are pictures in a folder, and no folder for a class.
pub(crate) fn is_without_classes(path: &Path) -> Result<bool, Error> {
    let entries = entries(path)?;
    Ok(!entries.iter().any(|entry| entry.is_dir()) && entries.iter().any(|entry| is_picture(entry)))
}

/// Whether a file counts as a picture. What is named like one does, whatever it turns out to be.
fn is_picture(path: &Path) -> bool {
    picture_file::is_named_like_a_picture(path) || picture_file::begins_like_a_picture(path)
}

/// What lies in a folder, sorted by name; what is hidden is passed over.
pub(super) fn entries(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let unread = |source| Error::Read { path: path.to_path_buf(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if !is_hidden(&path) {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether a folder is a run's.
pub(super) fn is_run(folder: &Path) -> bool {
    folder.join(RUN_MARK).is_file()
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}
