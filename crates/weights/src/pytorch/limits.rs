//! What a file may ask for, looked at before it is read: an archive may unpack to a thousand times its size, and a pickle
//! may make a hundred bytes of every one of its own.

use super::pickle::Walk;
use super::{tar, zip};
use crate::format::Format;
use crate::text::short;
use cnn_system::Bytes;
use pytorch_reader::Tensor;
use std::io::{BufRead, Seek};

/// Always granted, whatever the file's size: all-zero tensors pack well.
const SMALL: u64 = 64_000_000;

/// Packed numbers of weights are hardly smaller; so many times is no file of weights.
const MOST_PACKED: u64 = 4;

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

/// How many bytes a file of `length` may unpack to.
pub(super) fn most_unpacked(length: u64) -> u64 {
    length.saturating_mul(MOST_PACKED).max(SMALL)
}

/// Whether the tensor has no more numbers than the file can hold. One that repeats a few has.
pub(super) fn check_tensor(name: &str, tensor: &Tensor, length: u64) -> Result<(), String> {
    let bytes = tensor.byte_len() as u64;
    match bytes <= most_unpacked(length) {
        true => Ok(()),
        false => Err(format!("tensor {} would have {}, the file has {}", short(name), Bytes(bytes), Bytes(length))),
    }
}
