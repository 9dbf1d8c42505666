//! What the name of a data set means.

use cnn_data::Name;
use std::path::{Path, PathBuf};

/// How the name of a folder of images begins.
pub const FOLDER: &str = "folder:";

/// The name of a data set; a folder that is there may be named by its path alone, if no data set has that name.
pub fn named(name: &str) -> String {
    let is_name = name.starts_with(FOLDER) || name.split('+').all(|name| name.parse::<Name>().is_ok());
    if !is_name && Path::new(name).is_dir() { format!("{FOLDER}{name}") } else { name.to_string() }
}

/// The folder of images that a name means, if it means one.
pub fn folder_of(name: &str) -> Option<PathBuf> {
    named(name).strip_prefix(FOLDER).map(PathBuf::from)
}

/// The name of the data set that a folder is, however its path is written.
pub fn name_of_folder(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether two names of data sets mean the same.
pub fn is_same(one: &str, other: &str) -> bool {
    let folder = |name: &str| folder_of(name).and_then(|path| path.canonicalize().ok());
    named(one) == named(other) || folder(one).is_some_and(|one| Some(one) == folder(other))
}
