//! A folder of images, and what to do where it leaves a choice.

use crate::{Error, Fold, Reading};
use std::path::{Path, PathBuf};

/// A folder of images (JPEG, PNG, GIF, BMP, TIFF, WebP), and what to do where it leaves a choice.
///
/// `PATH/train/CLASS/*` are images to train on. Those of `PATH/val` (or `valid`, `validation`) are judged after each epoch;
/// if there are none, those of `PATH/test`, else some that are drawn. Where both are there, `test` is held out: see
/// [`Dataset::held_out`](crate::Dataset::held_out). The names may have any case, and images may lie at any depth below
/// their class. Without a folder `train` the classes lie in `PATH` itself.
///
/// Which images are drawn is a function of the seed and of each image's name alone, relative to the folder of the classes.
/// So an image stays where it is when others are added or removed, and shares are met only about.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderConfig {
    /// The folder.
    pub path: PathBuf,
    /// Share of the images that is drawn to be judged where the folder does not say, above 0 and below 1.
    pub test_share: f64,
    /// A part of a cross-validation to judge instead, whatever the folder says.
    pub fold: Option<Fold>,
    /// Decides which images are drawn.
    pub seed: u64,
    /// What to do about a file that is no intact image.
    pub damage: Damage,
    /// The most pixels of an image, looked up before any is decoded: one that has more counts as damaged.
    pub max_pixels: u64,
    /// Whether images are turned as their cameras noted: see [`Reading::upright`].
    pub upright: bool,
}

/// What to do about a file that is no intact image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It is an error.
    #[default]
    Refuse,
    /// It is left out, named in a warning and counted: see [`Images::damaged`](crate::Images::damaged).
    Skip,
}

impl Damage {
    /// The error of a file, with the way out where it is refused.
    pub(super) fn refusing(self, error: Error) -> Error {
        match error {
            Error::Image { path, problem } if self == Self::Refuse => {
                Error::Image { path, problem: format!("{problem}; --skip-damaged leaves such files out") }
            }
            // As a link that leads nowhere.
            Error::Read { path, source } if self == Self::Refuse => Error::Image {
                path,
                problem: format!("cannot be read: {source}; --skip-damaged leaves such files out"),
            },
            error => error,
        }
    }
}

impl FolderConfig {
    /// The usual share of the images to judge.
    pub const TEST_SHARE: f64 = 0.2;

    /// The usual bound on the pixels of an image, that of the Python Imaging Library: 268 MB in red, green and blue.
    pub const MAX_PIXELS: u64 = Reading::MAX_PIXELS;

    /// About a fifth of the images to judge, seed 0, damaged files refused, at most [`FolderConfig::MAX_PIXELS`].
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            test_share: Self::TEST_SHARE,
            fold: None,
            seed: 0,
            damage: Damage::Refuse,
            max_pixels: Self::MAX_PIXELS,
            upright: true,
        }
    }

    pub(super) fn reading(&self) -> Reading {
        Reading { max_pixels: self.max_pixels, upright: self.upright }
    }
}
