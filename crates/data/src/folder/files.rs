//! Images that are still in their files.

use super::Damage;
use crate::{Error, ImageSource, Picture, Reading};
use std::any::Any;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The files of a set, each with its label.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) files: Vec<(PathBuf, u32)>,
    /// Height and width where all have the same, else the least of each.
    pub(super) size: [usize; 2],
    pub(super) one_size: bool,
    pub(super) reading: Reading,
    pub(super) damage: Damage,
    /// Those found damaged.
    pub(super) damaged: Mutex<BTreeSet<PathBuf>>,
}

impl ImageSource for Files {
    fn labels(&self) -> Vec<u32> {
        self.files.iter().map(|(_, label)| *label).collect()
    }

    fn shape(&self) -> [usize; 3] {
        [3, self.size[0], self.size[1]]
    }

    fn has_one_size(&self) -> bool {
        self.one_size
    }

    fn picture(&self, index: usize) -> Result<Picture<'_>, Error> {
        Picture::read(&self.files[index].0, self.reading).map_err(|error| self.damage.refusing(error))
    }

    /// It is named once and counted then.
    fn leaves_out(&self, error: &Error) -> bool {
        let Error::Image { path, .. } = error else { return false };
        if self.damage == Damage::Refuse {
            return false;
        }
        if self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone()) {
            tracing::warn!("{error}; it is left out");
        }
        true
    }

    fn left_out(&self) -> Vec<PathBuf> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn is_same(&self, other: &dyn ImageSource) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| self.same(other))
    }
}

impl Files {
    fn same(&self, other: &Self) -> bool {
        (&self.files, self.reading, self.damage) == (&other.files, other.reading, other.damage)
    }
}
