//! The files of a report: new ones replace old ones whole, and only then goes what is left of an earlier report.

use crate::error::{Error, Result};
use cnn_train::{make_within, write_whole};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The page.
pub(crate) const PAGE: &str = "index.html";
/// The pictures that may lie beside it.
pub(crate) const CURVES: &str = "curves.svg";
pub(crate) const CONFUSION: &str = "confusion.svg";
pub(crate) const CALIBRATION: &str = "calibration.svg";
/// The tables.
pub(crate) const EPOCHS: &str = "epochs.csv";
pub(crate) const CLASSES: &str = "classes.csv";
pub(crate) const CONFUSIONS: &str = "confusion.csv";
pub(crate) const MISTAKEN: &str = "mistakes.csv";
pub(crate) const HELD_OUT: &str = "held-out-classes.csv";
/// The folder of images taken for another class.
const MISTAKES: &str = "mistakes";

/// A folder that a report is written to.
#[derive(Debug)]
pub(crate) struct Output {
    folder: PathBuf,
    written: BTreeSet<PathBuf>,
}

impl Output {
    /// Makes the folder if need be.
    pub(crate) fn to(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::file(folder, "cannot make the folder"))?;
        Ok(Self { folder: folder.to_path_buf(), written: BTreeSet::new() })
    }

    /// The same within a run's folder, which must be there.
    pub(crate) fn within(run: &Path, name: &str) -> Result<Self> {
        let folder = run.join(name);
        make_within(&folder)?;
        Ok(Self { folder, written: BTreeSet::new() })
    }

    /// Writes a file of this name, and gives its path.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        self.write_at(self.folder.join(name), bytes)
    }

    /// Writes the picture of a mistake: the `place`th, counted from 1, which is image number `image` of its set.
    pub(crate) fn write_mistake(&mut self, place: usize, image: usize, png: &[u8]) -> Result<()> {
        let folder = self.folder.join(MISTAKES);
        make_within(&folder)?;
        self.write_at(folder.join(format!("{place:02}-image-{image}.png")), png).map(drop)
    }

    fn write_at(&mut self, path: PathBuf, bytes: &[u8]) -> Result<PathBuf> {
        write_whole(&path, bytes)?;
        self.written.insert(path.clone());
        Ok(path)
    }

    /// Removes what reports write and this one did not. Other files stay.
    pub(crate) fn remove_others(self) -> Result<()> {
        for name in [CURVES, CONFUSION, CALIBRATION, EPOCHS, CLASSES, CONFUSIONS, MISTAKEN, HELD_OUT] {
            self.remove(self.folder.join(name))?;
        }
        let mistakes = self.folder.join(MISTAKES);
        for entry in std::fs::read_dir(&mistakes).into_iter().flatten() {
            let entry = entry.map_err(Error::file(&mistakes, "cannot list"))?;
            if is_mistake(&entry.file_name().to_string_lossy()) {
                self.remove(entry.path())?;
            }
        }
        // A folder that holds something else is no empty one, and stays.
        let _ = std::fs::remove_dir(&mistakes);
        Ok(())
    }

    fn remove(&self, path: PathBuf) -> Result<()> {
        if self.written.contains(&path) {
            return Ok(());
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path, "cannot remove")(error)),
            _ => Ok(()),
        }
    }
}

/// Whether a file's name is one that [`Output::write_mistake`] gives.
fn is_mistake(name: &str) -> bool {
    let parts = name.strip_suffix(".png").and_then(|name| name.split_once("-image-"));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    parts.is_some_and(|(place, image)| number(place) && number(image))
}
