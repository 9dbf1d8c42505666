//! Finding and reading one file, plain or packed.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::Error;

/// The contents of a file, unpacked, and where they came from.
pub(super) struct Contents {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

impl Contents {
    /// An error unless exactly `expected` bytes are there; `what` says what they are.
    pub fn expect_length(&self, expected: usize, what: impl FnOnce() -> String) -> Result<(), Error> {
        if self.bytes.len() == expected {
            return Ok(());
        }
        Err(Error::Size { path: self.path.clone(), what: what(), expected, found: self.bytes.len() })
    }
}

/// Reads the first of `names` below `folder` that exists; of each name the plain file goes before `name.gz`.
pub(super) fn read(folder: &Path, names: &[&str]) -> Result<Contents, Error> {
    for name in names {
        let plain = folder.join(name);
        if plain.is_file() {
            let bytes = std::fs::read(&plain).map_err(|source| Error::Read { path: plain.clone(), source })?;
            return Ok(Contents { path: plain, bytes });
        }
        let packed = folder.join(format!("{name}.gz"));
        if packed.is_file() {
            return unpack(packed);
        }
    }
    let names = names.iter().flat_map(|name| [name.to_string(), format!("{name}.gz")]).collect();
    Err(Error::Missing { folder: folder.to_path_buf(), names })
}

fn unpack(path: PathBuf) -> Result<Contents, Error> {
    let packed = std::fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let mut bytes = Vec::new();
    match MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut bytes) {
        Ok(_) => Ok(Contents { path, bytes }),
        Err(source) => Err(Error::Gzip { path, source }),
    }
}
