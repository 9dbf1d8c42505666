//! References that cannot be read.

use std::path::{Path, PathBuf};

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What keeps a comparison from being made. A difference is no error but a [`Mismatch`](crate::Mismatch).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be read.
    #[error("cannot read {}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// No thread for a comparison.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// A definition that cannot be elaborated or computed.
    #[error(transparent)]
    Network(#[from] cnn_core::Error),
    /// What went wrong with a model.
    #[error(transparent)]
    Model(#[from] cnn_core::ModelError),
    /// Weights that do not fit.
    #[error(transparent)]
    Weights(#[from] cnn_core::weights::Error),
    /// A network that cannot be planned.
    #[error(transparent)]
    Plan(#[from] cnn_plan::Error),
    /// A reference to a network that the zoo lacks.
    #[error(transparent)]
    Unknown(#[from] cnn_zoo::UnknownNetwork),
}

#[cfg(feature = "candle")]
impl From<cnn_core::candle_core::Error> for Error {
    fn from(error: cnn_core::candle_core::Error) -> Self {
        Self::Model(error.into())
    }
}

impl Error {
    /// The error of `path` with its cause.
    pub(crate) fn file(path: &Path, cause: impl ToString) -> Self {
        Self::File { path: path.to_path_buf(), problem: cause.to_string() }
    }
}
