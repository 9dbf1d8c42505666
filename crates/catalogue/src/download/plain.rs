//! A file at an address of its own, kept where torch keeps such files.

use super::MOST;
use super::client::Client;
use super::file::Wanted;
use crate::digest::Digest;
use crate::{Options, Result};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file at an address of its own.
pub(crate) struct PlainFile<'a> {
    pub(crate) address: &'a str,
    /// Its published checksum, or how it begins.
    pub(crate) digest: Option<&'a Digest>,
    /// Where it is to be.
    pub(crate) place: &'a Path,
    /// Whether what is there already is of no use.
    pub(crate) is_damaged: bool,
}

/// Fetches the file.
pub(crate) fn from_address(file: &PlainFile<'_>, options: &Options) -> Result<PathBuf> {
    let PlainFile { address, digest, place, is_damaged } = *file;
    let beside = |ending: &str| {
        let mut path = place.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    let wanted = Wanted {
        address,
        hub: None,
        digest,
        total: None,
        most: MOST,
        place,
        partial: beside(".part"),
        lock: beside(".lock"),
        shown: place,
    };
    let damaged = is_damaged.then(|| stamp(place)).flatten();
    wanted.fetch(&Client::new(options), options, || stamp(place).is_some_and(|found| Some(found) != damaged))?;
    Ok(place.to_path_buf())
}

/// What changes when a file is replaced.
pub(super) fn stamp(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}
