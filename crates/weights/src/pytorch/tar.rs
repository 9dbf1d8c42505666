//! The tar archives of torch before 0.1.10: `sys_info`, `storages` with numbers between its pickles, `tensors`, `pickle`.

use super::pickle::Walk;
use cnn_system::{Bytes, memory};
use std::io::{BufRead, Read, Seek, SeekFrom};

/// A header's bytes, and what the content of a file is filled up to.
const BLOCK: u64 = 512;

/// What follows on a tensor's pickle: its rank in 8 bytes, then sizes, strides and an offset of 8 bytes each.
const MOST_AXES: u64 = 64;

/// The longest record of extended attributes.
const MOST_ATTRIBUTES: u64 = 10_000;

/// Whether every file in the archive is as large as its header says and lies in it, and whether the pickles are no more
/// than is read. The reader holds all of them in memory, and takes what is refused here for more than is there: files
/// with holes, sizes and names outside the header.
pub(super) fn check(mut file: impl BufRead + Seek, length: u64, walk: &mut Walk) -> Result<(), String> {
    memory::ask(Bytes(length)).map_err(|shortage| shortage.to_string())?;
    let mut at = 0;
    while at + BLOCK <= length {
        let mut header = [0; BLOCK as usize];
        let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut header));
        read.map_err(|error| error.to_string())?;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let size = octal(&header[124..136]).ok_or("an entry of its archive has no size")?;
        if size > length - at - BLOCK {
            return Err(format!("an entry of its archive would have {}, the file has {}", Bytes(size), Bytes(length)));
        }
        let content = (&mut file).take(size);
        match (header[156], name(&header)) {
            (0 | b'0', b"storages") => storages(content, walk)?,
            (0 | b'0', b"tensors") => tensors(content, walk)?,
            (0 | b'0', b"sys_info" | b"pickle") => drop(walk.pickle(&mut { content })?),
            (0 | b'0' | b'5', _) => {}
            (b'x', _) if only_times(content, size) => {}
            (kind, _) => return Err(format!("its archive has an entry of kind {:?}", char::from(kind))),
        }
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
    }
    Ok(())
}

fn name(header: &[u8]) -> &[u8] {
    let mut name = header[..100].split(|byte| *byte == 0).next().unwrap_or_default();
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    name
}

/// Whether extended attributes are of times and owners alone, which Python writes where a time has a fraction.
fn only_times(content: impl Read, size: u64) -> bool {
    let mut text = String::new();
    size <= MOST_ATTRIBUTES
        && content.take(size).read_to_string(&mut text).is_ok()
        && text.lines().all(|line| {
            let key = line.split_once(' ').and_then(|(_, attribute)| attribute.split_once('='));
            matches!(key, Some(("mtime" | "atime" | "ctime" | "uid" | "gid" | "uname" | "gname", _)))
        })
}

/// A count, then for each storage a pickle that names its class, a number of elements and these, then a list of views.
fn storages(mut content: impl BufRead, walk: &mut Walk) -> Result<(), String> {
    walk.old_pickle(&mut content)?;
    while let Some(class) = walk.old_pickle(&mut content)? {
        let Some(elements) = number(&mut content) else { return Ok(()) };
        let size = super::splice::element_size(&class).unwrap_or(1) as u64;
        skip(&mut content, elements.saturating_mul(size));
    }
    Ok(())
}

/// A count, then for each tensor a pickle that names its class, and its rank, sizes, strides and offset.
fn tensors(mut content: impl BufRead, walk: &mut Walk) -> Result<(), String> {
    walk.old_pickle(&mut content)?;
    while walk.old_pickle(&mut content)?.is_some() {
        let Some(rank) = number(&mut content) else { return Ok(()) };
        skip(&mut content, 8 * (2 * (rank & 0xffff_ffff).min(MOST_AXES) + 1));
    }
    Ok(())
}

fn number(content: &mut impl Read) -> Option<u64> {
    let mut bytes = [0; 8];
    content.read_exact(&mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes))
}

fn skip(content: &mut impl Read, bytes: u64) {
    // A content that ends earlier ends the walk behind it.
    let _ = std::io::copy(&mut content.take(bytes), &mut std::io::sink());
}

/// A size in octal digits, between spaces and zeros.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(|letter| letter == '\0' || letter == ' ');
    u64::from_str_radix(text, 8).ok()
}
