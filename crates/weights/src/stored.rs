//! Numbers that stay in a file until they are asked for, so that a file of weights is never in memory twice.

use crate::error::{Error, Result};
use crate::tensor::Number;
use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a tensor's numbers are, and of which type.
#[derive(Clone)]
pub struct Stored {
    pub(crate) content: Content,
    pub(crate) kind: Kind,
}

/// A type of numbers as files have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    F16,
    BF16,
    F32,
    F64,
    /// No floating-point numbers that are read, under the name that the file's format has for them.
    Other(String),
}

/// Where the bytes are.
#[derive(Clone)]
pub(crate) enum Content {
    /// So many bytes from a place on, in a file that is open.
    File { open: Arc<OpenFile>, start: u64, bytes: usize },
    /// So many bytes from a place on, of a file in memory.
    Bytes { all: Arc<[u8]>, source: Arc<str>, start: usize, bytes: usize },
    /// A tensor of a PyTorch file.
    #[cfg(feature = "pytorch")]
    Pytorch(Arc<crate::pytorch::Lazy>),
}

/// A file that is open.
pub(crate) struct OpenFile {
    pub path: PathBuf,
    pub file: Mutex<File>,
}

impl Stored {
    pub(crate) fn holds_numbers(&self) -> bool {
        !matches!(self.kind, Kind::Other(_))
    }

    pub(crate) fn is_f64(&self) -> bool {
        self.kind == Kind::F64
    }

    /// The numbers as `T`.
    pub(crate) fn read<T: Number>(&self, name: &str) -> Result<Vec<T>> {
        if let Kind::Other(found) = &self.kind {
            return Err(Error::NumberType { weights: self.weights(), name: name.to_string(), found: found.clone() });
        }
        let bytes = self.bytes()?;
        let number = |x: f64| T::from_f64(x);
        Ok(match self.kind {
            Kind::F16 => chunks(&bytes).map(|x| number(half::f16::from_le_bytes(x).to_f64())).collect(),
            Kind::BF16 => chunks(&bytes).map(|x| number(half::bf16::from_le_bytes(x).to_f64())).collect(),
            Kind::F32 => chunks(&bytes).map(|x| number(f64::from(f32::from_le_bytes(x)))).collect(),
            _ => chunks(&bytes).map(|x| number(f64::from_le_bytes(x))).collect(),
        })
    }

    fn weights(&self) -> String {
        match &self.content {
            Content::File { open, .. } => open.path.display().to_string(),
            Content::Bytes { source, .. } => source.to_string(),
            #[cfg(feature = "pytorch")]
            Content::Pytorch(lazy) => lazy.path.display().to_string(),
        }
    }

    pub(crate) fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        match &self.content {
            Content::Bytes { all, start, bytes, .. } => Ok(Cow::Borrowed(&all[*start..*start + *bytes])),
            Content::File { open, start, bytes } => {
                let mut read = vec![0; *bytes];
                let mut file = open.file.lock().unwrap_or_else(PoisonError::into_inner);
                let done = file.seek(SeekFrom::Start(*start)).and_then(|_| file.read_exact(&mut read));
                done.map_err(|source| Error::Read { path: open.path.clone(), source })?;
                Ok(Cow::Owned(read))
            }
            #[cfg(feature = "pytorch")]
            Content::Pytorch(lazy) => Ok(Cow::Owned(lazy.bytes()?)),
        }
    }
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}
