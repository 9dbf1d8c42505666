//! Images that are still in their files.

use super::config::{Damage, FolderConfig};
use super::head::Head;
use crate::{Error, ImageSource, Images, Picture, Reading};
use std::any::Any;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The files of a set, each with its label.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) files: Vec<Head>,
    pub(super) sizes: Sizes,
    pub(super) reading: Reading,
    pub(super) damage: Damage,
    /// Those found damaged.
    pub(super) damaged: Mutex<BTreeSet<PathBuf>>,
}

/// How large pictures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Height and width where all have the same, else the least of each.
    pub(super) least: [usize; 2],
    /// The height and the width in the middle, each by itself: the size of most of them, where more than half have one.
    pub(super) usual: [usize; 2],
    /// Whether all have the same.
    pub(super) one: bool,
    /// Whether one channel says all of each.
    pub(super) grey: bool,
}

impl Sizes {
    /// Of pictures by their heads.
    pub(super) fn of<'a>(heads: impl Iterator<Item = &'a Head>) -> Self {
        let (mut sides, mut grey) = ([Vec::new(), Vec::new()], true);
        for head in heads {
            sides.iter_mut().zip(head.size).for_each(|(sides, side)| sides.push(side));
            grey &= head.grey;
        }
        sides.iter_mut().for_each(|sides| sides.sort_unstable());
        let at = |place: usize| sides.each_ref().map(|sides| sides.get(place).copied().unwrap_or(1));
        let images = sides[0].len();
        let (least, most) = (at(0), at(images.saturating_sub(1)));
        Self { least, usual: at(images / 2), one: least == most, grey: grey && images > 0 }
    }
}

impl ImageSource for Files {
    fn labels(&self) -> Vec<u32> {
        self.files.iter().map(|file| file.label).collect()
    }

    fn shape(&self) -> [usize; 3] {
        [3, self.sizes.least[0], self.sizes.least[1]]
    }

    fn has_one_size(&self) -> bool {
        self.sizes.one
    }

    fn usual_size(&self) -> [usize; 2] {
        self.sizes.usual
    }

    fn is_grey(&self) -> bool {
        self.sizes.grey
    }

    fn is_upright(&self) -> bool {
        self.reading.upright
    }

    fn picture(&self, index: usize) -> Result<Picture<'_>, Error> {
        Picture::read(&self.files[index].path, self.reading).map_err(|error| self.damage.refusing(error))
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        Some(self.files[index].path.clone())
    }

    fn identity(&self, index: usize) -> String {
        format!("{} {}", self.files[index].name, self.files[index].bytes)
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

/// Images that are decoded when they are asked for.
pub(super) fn images_of(config: &FolderConfig, files: Vec<Head>, sizes: Sizes) -> Result<Images, Error> {
    let (reading, damage) = (config.reading(), config.damage);
    Images::from_source(Files { files, sizes, reading, damage, damaged: Mutex::default() })
}
