//! Numbers that stay in a file until they are asked for, so that a file of weights is never in memory twice.

use crate::error::{Error, Result};
#[cfg(feature = "pytorch")]
use crate::pytorch::lazy::Lazy;
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
pub enum Kind {
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
    Pytorch(Arc<Lazy>),
}

/// A file that is open.
pub(crate) struct OpenFile {
    pub path: PathBuf,
    pub file: Mutex<File>,
}

impl OpenFile {
    /// Fills `to` with the bytes from a place on.
    fn read(&self, start: u64, to: &mut [u8]) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let done = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(to));
        done.map_err(|source| Error::Read { path: self.path.clone(), source })
    }
}

impl Kind {
    /// Bytes of a number.
    fn size(&self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 | Self::Other(_) => 8,
        }
    }
}

impl Stored {
    pub(crate) fn holds_numbers(&self) -> bool {
        !matches!(self.kind, Kind::Other(_))
    }

    pub(crate) fn is_f64(&self) -> bool {
        self.kind == Kind::F64
    }

    /// The bytes of the numbers of the tensor `name`, which must be floating-point ones.
    pub(crate) fn read(&self, name: &str) -> Result<Cow<'_, [u8]>> {
        self.check_kind(name)?;
        self.bytes()
    }

    /// The same, the bytes of at most so many numbers at a time, with the position of the first number. A file is read part
    /// by part, save that of a PyTorch tensor, whose numbers may lie in any order.
    pub(crate) fn read_parts<E: From<Error>>(
        &self,
        name: &str,
        count: usize,
        mut visit: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_kind(name)?;
        let (size, count) = (self.kind.size(), count.max(1));
        match &self.content {
            Content::File { open, start, bytes } => {
                let mut part = vec![0; (count * size).min(*bytes)];
                for at in (0..*bytes).step_by(count * size) {
                    let part = &mut part[..(count * size).min(*bytes - at)];
                    open.read(*start + at as u64, part)?;
                    visit(at / size, part)?;
                }
                Ok(())
            }
            _ => {
                let bytes = self.bytes()?;
                let mut parts = bytes.chunks(count * size).enumerate();
                parts.try_for_each(|(number, part)| visit(number * count, part))
            }
        }
    }

    fn check_kind(&self, name: &str) -> Result<()> {
        match &self.kind {
            Kind::Other(found) => {
                Err(Error::NumberType { weights: self.weights(), name: name.to_string(), found: found.clone() })
            }
            _ => Ok(()),
        }
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
                open.read(*start, &mut read)?;
                Ok(Cow::Owned(read))
            }
            #[cfg(feature = "pytorch")]
            Content::Pytorch(lazy) => Ok(Cow::Owned(lazy.bytes()?)),
        }
    }
}
