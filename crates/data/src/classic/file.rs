//! Finding one file, plain or packed, and reading of it no more than it should hold.

use crate::Error;
use cnn_system::{Bytes, file};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The most that deflate makes of a byte.
const EXPANSION: u64 = 1032;

/// A file under way: what was read of it is unpacked.
pub(super) struct Unread {
    path: PathBuf,
    bytes: Body,
    /// Bytes read so far.
    at: u64,
}

enum Body {
    Plain {
        bytes: BufReader<File>,
        size: u64,
    },
    /// `size` is that of the packed file.
    Packed {
        bytes: Box<MultiGzDecoder<BufReader<File>>>,
        size: u64,
    },
}

/// Opens the first of `names` below `folder` that exists; of each name the plain file goes before `name.gz`.
pub(super) fn find(folder: &Path, names: &[&str]) -> Result<Unread, Error> {
    for name in names {
        for path in [folder.join(name), folder.join(format!("{name}.gz"))] {
            if path.exists() && !path.is_dir() {
                return Unread::open(path);
            }
        }
    }
    let names = names.iter().flat_map(|name| [name.to_string(), format!("{name}.gz")]).collect();
    Err(Error::Missing { folder: folder.to_path_buf(), names })
}

impl Unread {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let opened = file::open(&path).and_then(|file| Ok((file.metadata()?.len(), BufReader::new(file))));
        let (size, bytes) = match opened {
            Ok(opened) => opened,
            Err(source) => return Err(Error::Read { path, source }),
        };
        let packed = path.extension().is_some_and(|extension| extension == "gz");
        let bytes = match packed {
            true => Body::Packed { bytes: Box::new(MultiGzDecoder::new(bytes)), size },
            false => Body::Plain { bytes, size },
        };
        Ok(Self { path, bytes, at: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The next `count` bytes, or as many as there are.
    pub(super) fn take(&mut self, count: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = self.room(count).and_then(|room| {
            bytes.try_reserve_exact(room)?;
            match &mut self.bytes {
                Body::Plain { bytes: file, .. } => file.take(count).read_to_end(&mut bytes),
                Body::Packed { bytes: file, .. } => file.take(count).read_to_end(&mut bytes),
            }
        });
        match read {
            Ok(_) => {
                self.at += bytes.len() as u64;
                Ok(bytes)
            }
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Bytes to make room for, of `count` wanted: never more than the file can hold.
    fn room(&self, count: u64) -> io::Result<usize> {
        let most = match &self.bytes {
            Body::Plain { size, .. } => *size,
            Body::Packed { size, .. } => size.saturating_mul(EXPANSION),
        };
        usize::try_from(count.min(most)).map_err(|_| ErrorKind::OutOfMemory.into())
    }

    fn failed(&self, source: io::Error) -> Error {
        let path = self.path.clone();
        let damage = [ErrorKind::InvalidInput, ErrorKind::InvalidData, ErrorKind::UnexpectedEof];
        match self.bytes {
            Body::Packed { .. } if damage.contains(&source.kind()) => Error::Gzip { path, source },
            _ => Error::Read { path, source },
        }
    }

    /// Refuses a file that is expected to be larger than any is read, and a plain one of another size.
    pub(super) fn check(&self, expected: Expected<'_>) -> Result<(), Error> {
        match self.bytes {
            Body::Plain { size, .. } if size != expected.bytes => Err(self.wrong_size(expected, Found::End(size))),
            _ if expected.bytes > expected.most => {
                let found = format!("{}, {} in all", expected.what, Bytes(expected.bytes));
                Err(self.too_large(expected.most, found))
            }
            _ => Ok(()),
        }
    }

    /// The rest of the file, which makes `expected` bytes with what was read of it before.
    pub(super) fn rest(&mut self, expected: Expected<'_>) -> Result<Vec<u8>, Error> {
        self.check(expected)?;
        let bytes = self.take(expected.bytes.saturating_sub(self.at))?;
        if self.at < expected.bytes {
            return Err(self.wrong_size(expected, Found::End(self.at)));
        }
        // At its end a packed file's checksum is compared.
        match self.take(1)?.is_empty() {
            true => Ok(bytes),
            false => Err(self.wrong_size(expected, Found::More)),
        }
    }

    /// Everything, of at most `most` bytes.
    pub(super) fn all(&mut self, most: u64) -> Result<Vec<u8>, Error> {
        let bytes = self.take(most.saturating_add(1))?;
        match bytes.len() as u64 > most {
            false => Ok(bytes),
            true => Err(self.too_large(most, "more".to_string())),
        }
    }

    pub(super) fn wrong_size(&self, expected: Expected<'_>, found: Found) -> Error {
        let found = match found {
            Found::End(byte) => format!("that the file ends at byte {byte}"),
            Found::More => "that the file goes on".to_string(),
        };
        let (what, bytes) = (expected.what.to_string(), expected.bytes);
        Error::Size { path: self.path.clone(), what, expected: bytes, found }
    }

    fn too_large(&self, most: u64, found: String) -> Error {
        Error::TooLarge { path: self.path.clone(), most: Bytes(most), found }
    }
}

/// What a whole file is.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    /// In words.
    pub(super) what: &'a str,
    /// Bytes from the beginning to the end.
    pub(super) bytes: u64,
    /// The most that is read of any file of this kind.
    pub(super) most: u64,
}

/// Where a file ends instead.
#[derive(Clone, Copy)]
pub(super) enum Found {
    End(u64),
    More,
}
