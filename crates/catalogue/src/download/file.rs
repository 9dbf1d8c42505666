//! From the first byte to the file's name.

use super::client::Client;
use super::lock::Lock;
use super::transfer::Transfer;
use crate::digest::Digest;
use crate::{Error, Options, Result};
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What is to be fetched, and where it is to be.
pub(super) struct Wanted<'a> {
    pub(super) address: &'a str,
    /// The hub, if the address is its.
    pub(super) hub: Option<&'a str>,
    pub(super) digest: Option<&'a Digest>,
    /// The file's size where it is known.
    pub(super) total: Option<u64>,
    /// The most bytes that are taken.
    pub(super) most: u64,
    /// The file's name, once it is whole.
    pub(super) place: &'a Path,
    /// Its name until then.
    pub(super) partial: PathBuf,
    /// The file that is locked meanwhile.
    pub(super) lock: PathBuf,
    /// What others see, where that is not `place`.
    pub(super) shown: &'a Path,
}

impl Wanted<'_> {
    /// Fetches the file. `is_there` is asked once nobody else fetches it: they may have done so meanwhile.
    pub(super) fn fetch(&self, client: &Client, options: &Options, is_there: impl Fn() -> bool) -> Result<()> {
        let _lock = Lock::wait(&self.lock)?;
        if is_there() {
            return Ok(());
        }
        if let Some(folder) = self.place.parent() {
            std::fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        let mut file = self.open()?;
        let kept = file.metadata().map_err(failed(&self.partial))?.len();
        let mut transfer = self.transfer(client, options);
        transfer.run(&mut file, &self.partial)?;
        if let Err(error) = self.check(&mut file, transfer.total) {
            // What was kept from an earlier time may be of another file: once more from the first byte.
            file.set_len(0).map_err(failed(&self.partial))?;
            if kept == 0 {
                self.remove();
                return Err(error);
            }
            let mut transfer = self.transfer(client, options);
            transfer.run(&mut file, &self.partial)?;
            self.check(&mut file, transfer.total).inspect_err(|_| self.remove())?;
        }
        file.sync_all().map_err(failed(&self.partial))?;
        std::fs::rename(&self.partial, self.place).map_err(failed(self.place))?;
        sync_folder(self.place);
        Ok(())
    }

    fn transfer<'a>(&'a self, client: &'a Client, options: &'a Options) -> Transfer<'a> {
        Transfer {
            client,
            options,
            address: self.address,
            hub: self.hub,
            most: self.most,
            place: self.shown,
            total: self.total,
        }
    }

    /// The partial file, which somebody may have put there as something else than a file.
    fn open(&self) -> Result<File> {
        if self.partial.symlink_metadata().is_ok_and(|found| !found.is_file()) {
            std::fs::remove_file(&self.partial).map_err(failed(&self.partial))?;
        }
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.partial);
        opened.map_err(failed(&self.partial))
    }

    /// Whether the file is the one meant.
    fn check(&self, file: &mut File, total: Option<u64>) -> Result<()> {
        let Some(digest) = self.digest else {
            if total.is_none() {
                let problem =
                    "expected a length or a checksum, found neither: whether the file is whole cannot be told";
                return Err(Error::Server { address: self.address.to_string(), problem: problem.to_string() });
            }
            tracing::warn!("{}: no checksum is published; only its length was compared", self.address);
            return Ok(());
        };
        let found = sha256(file).map_err(|source| Error::Read { path: self.partial.clone(), source })?;
        match digest.fits(&found) {
            true => Ok(()),
            false => Err(Error::Checksum {
                address: self.address.to_string(),
                expected: digest.to_string(),
                found: found.chars().take(digest.as_str().len()).collect(),
            }),
        }
    }

    fn remove(&self) {
        // It is emptied already: one that stays is harmless.
        let _ = std::fs::remove_file(&self.partial);
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Write { path: path.clone(), source }
}

/// A file's SHA-256 in hexadecimal digits.
fn sha256(file: &mut File) -> std::io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Brings a renaming to the disk, as far as the system can: the file itself is there.
fn sync_folder(path: &Path) {
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        let _ = folder.sync_all();
    }
}
