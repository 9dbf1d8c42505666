//! The images of a folder that weights from elsewhere are judged on.

use super::config::FolderConfig;
use super::files::{Sizes, images_of};
use super::find::{self, Class, Found, Labelled, intact};
use super::head::heads;
use super::layout::Layout;
use crate::{Error, Images};
use std::path::{Path, PathBuf};

/// Images to judge, and where they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderImages {
    /// The folder that holds the classes: the one asked for, or one in it.
    pub path: PathBuf,
    /// The names of its classes; a label is an index into them.
    pub classes: Vec<String>,
    /// All its images.
    pub images: Images,
    /// What lay there and is no picture.
    pub strays: Vec<PathBuf>,
}

/// All images of a folder to judge weights on that were trained elsewhere: those of `test` in it, else of `val`, `valid` or
/// `validation` (in any case), else, where the classes lie in the folder itself, all of them. Nothing is drawn.
///
/// # Errors
/// [`Error::OnlyTraining`] where there are images to train on alone; else as [`folder`](super::folder()).
pub fn folder_images(config: &FolderConfig) -> Result<FolderImages, Error> {
    let path = place(&config.path)?;
    let Found { classes, strays } = intact(find::classes(&path)?)?;
    let names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
    let of_class = |(class, label): (Class, u32)| class.files.into_iter().map(move |file| (file, label));
    let files: Labelled = classes.into_iter().zip(0..).flat_map(of_class).collect();
    let heads = heads(&config.path, files, config.reading(), config.damage)?;
    let sizes = Sizes::of(heads.iter());
    Ok(FolderImages { path, classes: names, images: images_of(config, heads, sizes)?, strays })
}

/// The folder that holds the classes to judge.
fn place(folder: &Path) -> Result<PathBuf, Error> {
    let Layout { train, val, test, .. } = Layout::of(folder)?;
    match (test.or(val), train) {
        (Some(split), _) => Ok(split),
        (None, None) => Ok(folder.to_path_buf()),
        (None, Some(_)) => Err(Error::OnlyTraining { path: folder.to_path_buf() }),
    }
}
