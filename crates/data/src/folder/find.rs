//! What lies in a folder.

use crate::{Error, picture_file};
use std::fs;
use std::path::{Path, PathBuf};

/// The classes of a folder, and what else lies there.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) classes: Vec<Class>,
    /// What is no picture, neither by its name nor by how it begins.
    pub(crate) strays: Vec<PathBuf>,
}

/// A class: a folder and its files, sorted by name.
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) files: Vec<PathBuf>,
}

/// The folders in `path` and the pictures in each, sorted by name; hidden files are passed over.
pub(crate) fn classes(path: &Path) -> Result<Found, Error> {
    let mut found = Found::default();
    for entry in entries(path)? {
        if !entry.is_dir() {
            found.strays.push(entry);
            continue;
        }
        let (files, strays): (Vec<PathBuf>, _) = entries(&entry)?.into_iter().partition(|file| is_picture(file));
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        found.classes.push(Class { name, path: entry, files });
        found.strays.extend(strays);
    }
    match found.classes.is_empty() {
        true => Err(Error::NoClass { path: path.to_path_buf() }),
        false => Ok(found),
    }
}

/// The folders that a folder of images may be split into.
pub(crate) const SPLITS: [&str; 5] = ["train", "val", "valid", "validation", "test"];

/// What is named like a picture counts as one, whatever it turns out to be; of other names it must begin like one.
fn is_picture(path: &Path) -> bool {
    const ENDINGS: [&str; 12] =
        ["jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "bmp", "dib", "tif", "tiff", "webp"];
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) || picture_file::is_picture(path)
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
