//! Images that are still in their files.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Damage, decode};
use crate::{Error, Picture};

/// The files of a set. Copies share the list of those found damaged.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    paths: Arc<[PathBuf]>,
    damage: Damage,
    damaged: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Files {
    pub fn new(paths: Vec<PathBuf>, damage: Damage) -> Self {
        Self { paths: paths.into(), damage, damaged: Arc::default() }
    }

    /// The files at `indices`, all of which there are.
    pub fn select(&self, indices: &[usize]) -> Self {
        let paths = indices.iter().map(|index| self.paths[*index].clone()).collect();
        Self { paths, damage: self.damage, damaged: Arc::clone(&self.damaged) }
    }

    pub fn picture(&self, index: usize) -> Result<Picture<'static>, Error> {
        decode::picture(&self.paths[index])
    }

    /// Whether the image that failed with `error` is to be left out; it is named once and counted then.
    pub fn leaves_out(&self, error: &Error) -> bool {
        let Error::Image { path, .. } = error else { return false };
        if self.damage == Damage::Refuse {
            return false;
        }
        if self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone()) {
            tracing::warn!("{error}; it is left out");
        }
        true
    }

    /// The files found damaged so far.
    pub fn damaged(&self) -> Vec<PathBuf> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.paths == other.paths && self.damage == other.damage
    }
}

impl Eq for Files {}
