//! How much a file of a size may hold.

use crate::text::short;
use cnn_system::Bytes;
use pytorch_reader::Tensor;

/// Always granted, whatever the file's size: all-zero tensors pack well.
const SMALL: u64 = 64_000_000;

/// Packed numbers of weights are hardly smaller; so many times is no file of weights.
const MOST_PACKED: u64 = 4;

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
