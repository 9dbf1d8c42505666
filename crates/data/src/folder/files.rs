//! Images that are still in their files.

use super::Damage;
use crate::decode::Encoded;
use crate::{Error, Picture};
use cnn_core::file;
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes of an encoded image: more than any of [`FolderConfig::MAX_PIXELS`](super::FolderConfig::MAX_PIXELS) has.
const MOST: u64 = 1_000_000_000;
/// Of most images the size stands in so many bytes.
const HEAD: u64 = 1 << 16;

/// The files of a set. Copies share the list of those found damaged.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    paths: Arc<[PathBuf]>,
    reading: Reading,
    damaged: Arc<Mutex<BTreeSet<PathBuf>>>,
}

/// How files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) damage: Damage,
    /// The most pixels of an image.
    pub(crate) max_pixels: u64,
}

impl Reading {
    /// Height and width of an image, from its file's head.
    pub(crate) fn size(self, path: &Path) -> Result<[usize; 2], Error> {
        let max_pixels = self.max_pixels;
        let mut file = file::open(path).map_err(unread(path))?;
        let mut bytes = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(unread(path))?;
        let size = Encoded { bytes: &bytes, max_pixels }.size();
        if size.is_ok() || (bytes.len() as u64) < HEAD {
            return size.map_err(problem(path));
        }
        drop(file);
        // A profile or a thumbnail lies before the size.
        let bytes = file::read(path, MOST).map_err(unread(path))?;
        Encoded { bytes: &bytes, max_pixels }.size().map_err(problem(path))
    }

    /// All pixels in red, green and blue.
    pub(crate) fn picture(self, path: &Path) -> Result<Picture<'static>, Error> {
        let bytes = file::read(path, MOST).map_err(unread(path))?;
        Encoded { bytes: &bytes, max_pixels: self.max_pixels }.picture().map_err(problem(path))
    }
}

fn problem(path: &Path) -> impl Fn(String) -> Error + '_ {
    move |problem| Error::Image { path: path.to_path_buf(), problem }
}

/// What is there and no file of an image is an error of the image; what the system refuses is one of reading.
fn unread(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |source| match source.kind() {
        ErrorKind::InvalidInput | ErrorKind::FileTooLarge => problem(path)(source.to_string()),
        _ => Error::Read { path: path.to_path_buf(), source },
    }
}

impl Files {
    pub(crate) fn new(paths: Vec<PathBuf>, reading: Reading) -> Self {
        Self { paths: paths.into(), reading, damaged: Arc::default() }
    }

    /// The files at `indices`, all of which there are.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let paths = indices.iter().map(|index| self.paths[*index].clone()).collect();
        Self { paths, damaged: Arc::clone(&self.damaged), ..*self }
    }

    pub(crate) fn picture(&self, index: usize) -> Result<Picture<'static>, Error> {
        self.reading.picture(&self.paths[index])
    }

    /// Whether the image that failed with `error` is to be left out; it is named once and counted then.
    pub(crate) fn leaves_out(&self, error: &Error) -> bool {
        let Error::Image { path, .. } = error else { return false };
        if self.reading.damage == Damage::Refuse {
            return false;
        }
        if self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone()) {
            tracing::warn!("{error}; it is left out");
        }
        true
    }

    /// The files found damaged so far.
    pub(crate) fn damaged(&self) -> Vec<PathBuf> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.paths == other.paths && self.reading == other.reading
    }
}

impl Eq for Files {}
