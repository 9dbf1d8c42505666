//! What a command reads, so that it writes over none of it.

use crate::cli::{self, Data};
use crate::data_name::folder_of;
use anyhow::{Result, anyhow, bail};
use cnn_core::whole;
use cnn_data::{Picture, is_named_like_a_picture};
use cnn_figures::path;
use cnn_train::DataChoice;
use std::path::{Path, PathBuf};

/// How the names of the classic files end.
const CLASSIC: [&str; 3] = ["ubyte", "bin", "gz"];

/// Files, and folders with data in them.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Reads {
    /// Files alone.
    pub fn files<P: Into<PathBuf>>(files: impl IntoIterator<Item = P>) -> Self {
        Self::default().and(files)
    }

    /// Files too. What is the name of something else and no file does no harm.
    pub fn and<P: Into<PathBuf>>(mut self, files: impl IntoIterator<Item = P>) -> Self {
        self.files.extend(files.into_iter().map(Into::into));
        self
    }

    /// The names of classes too, where they are in a file.
    pub fn known(self, known: &cli::Known) -> Self {
        self.and(known.class_names.as_deref())
    }

    /// The images of a data set as the command line names it too.
    pub fn data(self, data: &Data) -> Self {
        self.images(data.dataset.as_deref(), data.data_dir.as_deref())
    }

    /// Those of a choice too.
    pub fn choice(self, choice: &DataChoice) -> Self {
        self.images(choice.dataset.as_deref(), choice.data_dir.as_deref())
    }

    fn images(mut self, dataset: Option<&str>, files: Option<&Path>) -> Self {
        self.folders.extend(dataset.and_then(folder_of));
        self.folders.extend(files.map(Path::to_path_buf));
        self
    }

    /// Refuses to write over what is read, and where nothing can be written: before anything is computed.
    pub fn allow(&self, output: &Path) -> Result<()> {
        if self.contains(output) {
            bail!("{} is read by this command: give what is written another name", path(output));
        }
        whole::check(output).map_err(|error| anyhow!("{}: cannot write: {error}", path(output)))
    }

    fn contains(&self, output: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        let Some(found) = real(output) else { return false };
        let within = |folder: &PathBuf| real(folder).is_some_and(|folder| found.starts_with(folder));
        self.files.iter().any(|file| real(file).as_ref() == Some(&found))
            || self.folders.iter().any(within) && is_data(&found)
    }
}

/// Whether a file in a folder of data is one of its pictures, or a classic file: what was written there before is neither.
fn is_data(file: &Path) -> bool {
    let name = file.to_string_lossy();
    is_named_like_a_picture(file) || CLASSIC.iter().any(|end| name.ends_with(end)) || Picture::open(file).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_into_a_folder_of_data_may_be_written_anew() -> Result<()> {
        let place = tempfile::tempdir()?;
        let at = |name: &str| place.path().join(name);
        let reads = Reads::default().data(&Data { data_dir: Some(place.path().to_path_buf()), ..Data::default() });
        for (name, allowed) in [("page.html", true), ("a.int8.json", true), ("a.png", false), ("train.bin", false)] {
            assert!(reads.allow(&at(name)).is_ok(), "{name} is not there");
            std::fs::write(at(name), "something")?;
            assert_eq!(reads.allow(&at(name)).is_ok(), allowed, "{name}");
        }
        // A picture, whatever it is called.
        let picture = Picture::new([1, 2, 2], vec![7; 4])?;
        std::fs::write(at("odd"), picture.png()?)?;
        assert!(reads.allow(&at("odd")).is_err());
        Ok(())
    }
}
