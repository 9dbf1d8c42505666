//! Files of weights, whatever their format.

use crate::error::{Error, Result};
use crate::format::{FIRST, Format};
use crate::safetensors_file;
use crate::weights::Weights;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Weights {
    /// Opens a file of weights: names, shapes and what the file says of itself are read and checked, numbers when they
    /// are asked for. The first bytes tell the format, not the ending: safetensors, or with the feature `pytorch` what
    /// `torch.save` writes or ever wrote.
    ///
    /// A PyTorch file may keep its weights under a key beside other things, such as an optimiser's state. Then they are
    /// taken from there, and [`Weights::form`] says from where; [`Weights::read_entry`] takes them from another key. No
    /// code of the file is run.
    ///
    /// # Errors
    ///
    /// What is no regular file, cannot be read, is cut short or has more than its header says, or is of no such format.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::open(path.as_ref(), None)
    }

    /// [`Weights::read`] of a PyTorch file that keeps several weights: those under this key.
    ///
    /// # Errors
    ///
    /// As [`Weights::read`]; a key that the file lacks, with those it has; a safetensors file, which has no keys.
    pub fn read_entry(path: impl AsRef<Path>, entry: &str) -> Result<Self> {
        Self::open(path.as_ref(), Some(entry))
    }

    fn open(path: &Path, entry: Option<&str>) -> Result<Self> {
        let failed = |source| Error::Read { path: path.to_path_buf(), source };
        let mut file = cnn_system::file::open(path).map_err(failed)?;
        let mut first = Vec::new();
        file.by_ref().take(FIRST as u64).read_to_end(&mut first).map_err(failed)?;
        match Format::of(&first) {
            format @ (Format::Zip | Format::Legacy | Format::Tar | Format::Pickle) => {
                pytorch_file(path, file, format, entry)
            }
            Format::Unknown(Some(found)) => Err(Error::Format { path: path.to_path_buf(), found }),
            _ => match entry {
                Some(entry) => Err(Error::Entry { path: path.to_path_buf(), entry: entry.to_string() }),
                None => safetensors_file::read(path, file, &first),
            },
        }
    }

    /// The weights in the bytes of a file, such as those that `include_bytes!` puts into a program; `source` is what an
    /// error names.
    ///
    /// # Errors
    ///
    /// As [`Weights::read`].
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>, source: &str) -> Result<Self> {
        let bytes: Arc<[u8]> = bytes.into();
        match Format::of(&bytes[..bytes.len().min(FIRST)]) {
            format @ (Format::Zip | Format::Legacy | Format::Tar | Format::Pickle) => {
                pytorch_bytes(&bytes, format, PathBuf::from(source))
            }
            Format::Unknown(Some(found)) => Err(Error::Format { path: PathBuf::from(source), found }),
            _ => safetensors_file::of_bytes(bytes, source),
        }
    }
}

#[cfg(feature = "pytorch")]
fn pytorch_file(path: &Path, file: std::fs::File, format: Format, entry: Option<&str>) -> Result<Weights> {
    crate::pytorch::read(path, file, format, entry)
}

#[cfg(not(feature = "pytorch"))]
fn pytorch_file(path: &Path, _: std::fs::File, _: Format, _: Option<&str>) -> Result<Weights> {
    Err(Error::PytorchFeature { path: path.to_path_buf() })
}

#[cfg(feature = "pytorch")]
fn pytorch_bytes(bytes: &[u8], format: Format, source: PathBuf) -> Result<Weights> {
    crate::pytorch::of_bytes(bytes, format, source)
}

#[cfg(not(feature = "pytorch"))]
fn pytorch_bytes(_: &[u8], _: Format, source: PathBuf) -> Result<Weights> {
    Err(Error::PytorchFeature { path: source })
}
