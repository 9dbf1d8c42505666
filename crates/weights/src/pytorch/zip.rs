//! The zip archives that torch has written since 1.6: a pickle `data.pkl`, and a file for every storage.

use super::limits::most_unpacked;
use super::pickle::Walk;
use cnn_system::Bytes;
use std::io::{BufRead, BufReader, Seek};
use zip::ZipArchive;

/// Whether the archive unpacks to no more than such files do, and its pickle to no more than is read. What is wrong with
/// the archive itself the reader says.
pub(super) fn check(file: impl BufRead + Seek, length: u64, walk: &mut Walk) -> Result<(), String> {
    let Ok(mut archive) = ZipArchive::new(file) else { return Ok(()) };
    let mut unpacked = 0u64;
    let mut pickles = Vec::new();
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(index) else { continue };
        unpacked = unpacked.saturating_add(entry.size());
        if entry.name().is_ok_and(|name| name.ends_with("data.pkl")) {
            pickles.push(index);
        }
    }
    if unpacked > most_unpacked(length) {
        return Err(format!("it would unpack to {}, the file has {}", Bytes(unpacked), Bytes(length)));
    }
    for index in pickles {
        if let Ok(entry) = archive.by_index(index) {
            walk.pickle(&mut BufReader::new(entry))?;
        }
    }
    Ok(())
}
