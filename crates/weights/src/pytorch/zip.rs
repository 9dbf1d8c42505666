//! The zip archives that torch has written since 1.6: a pickle `data.pkl`, and a file for every storage.

use super::limits::most_unpacked;
use super::pickle::Walk;
use cnn_system::Bytes;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use zip::ZipArchive;

/// The most entries of an archive; torch writes one for each tensor, and a few. Each takes several hundred bytes of memory.
const MOST_ENTRIES: u64 = 200_000;

/// Where the record at an archive's end may begin: behind it there is a comment, before it its 64-bit form.
const TAIL: u64 = 66_000;

/// Whether the archive unpacks to no more than such files do, and its pickle to no more than is read. What is wrong with
/// the archive itself the reader says.
pub(super) fn check(mut file: impl BufRead + Seek, length: u64, walk: &mut Walk) -> Result<(), String> {
    let entries = entries(&mut file, length);
    if entries > MOST_ENTRIES {
        return Err(format!("its archive has {entries} entries, at most {MOST_ENTRIES} are read"));
    }
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

/// The largest number of entries that the archive's end tells: its record has 16 bits for it; one of 64 bits lies where a
/// reference before that record says.
fn entries(file: &mut (impl Read + Seek), length: u64) -> u64 {
    let mut tail = Vec::new();
    let begin = length.saturating_sub(TAIL);
    if file.seek(SeekFrom::Start(begin)).and_then(|_| file.take(TAIL).read_to_end(&mut tail)).is_err() {
        return 0;
    }
    let mut most = 0;
    for reference in tail.windows(24).filter(|bytes| bytes.starts_with(b"PK\x06\x07") && bytes.ends_with(b"PK\x05\x06"))
    {
        let mut record = [0; 40];
        let at = reference[8..].first_chunk::<8>().map_or(0, |at| u64::from_le_bytes(*at));
        if file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut record)).is_ok() {
            most = most.max(record[32..].first_chunk::<8>().map_or(0, |count| u64::from_le_bytes(*count)));
        }
    }
    most
}
