//! What a file may ask for, looked at before it is read: an archive may unpack to a thousand times its size, and a pickle
//! may make a hundred bytes of every one of its own.

use super::pickle::Walk;
use super::{tar, zip};
use crate::format::Format;
use std::io::{BufRead, Seek};

/// Whether the file of so many bytes asks for no more than such files do.
pub(super) fn check(mut file: impl BufRead + Seek, length: u64, format: Format) -> Result<(), String> {
    file.rewind().map_err(|error| error.to_string())?;
    let mut walk = Walk::default();
    match format {
        Format::Zip => zip::check(file, length, &mut walk),
        Format::Tar => tar::check(file, length, &mut walk),
        // Magic number, version, system, the object, the keys of its storages.
        Format::Legacy => (0..5).try_for_each(|_| walk.pickle(&mut file).map(|_| ())),
        _ => walk.pickle(&mut file).map(|_| ()),
    }
}
