//! What can go wrong in reporting.

use cnn_figures::plural;
use std::path::PathBuf;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate: one sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder that could not be read or written.
    #[error("{}: {action}: {source}", cnn_figures::path(path))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, for example `cannot write`.
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A folder that is not there.
    #[error("{}: there is no such folder", cnn_figures::path(path))]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder with somebody else's files where a report would be.
    #[error("{}: holds {file}, which no report of several runs is; choose another folder", cnn_figures::path(path))]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The file that was found there.
        file: &'static str,
    },
    /// A folder that holds no run.
    #[error("{}: not a run's folder: it has no {file}", cnn_figures::path(path))]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// The file that is missing.
        file: &'static str,
    },
    /// A run's file that is damaged.
    #[error("{}: line {line}: {problem}", cnn_figures::path(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Predictions that are not of these images.
    #[error(
        "{} of {} cannot be those of {} of {}",
        plural(*predictions, "prediction", "predictions"),
        plural(*classes, "class", "classes"),
        plural(*images, "image", "images"),
        plural(*named, "class", "classes")
    )]
    Mismatch {
        /// Number of predictions.
        predictions: usize,
        /// Classes they tell apart.
        classes: usize,
        /// Number of images.
        images: usize,
        /// Classes that have a name.
        named: usize,
    },
    /// An error of the run's own library.
    #[error(transparent)]
    Train(Box<cnn_train::Error>),
    /// An error of the data set.
    #[error(transparent)]
    Data(#[from] cnn_data::Error),
}

impl From<cnn_train::Error> for Error {
    fn from(error: cnn_train::Error) -> Self {
        Self::Train(Box::new(error))
    }
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, action, source }
    }
}
