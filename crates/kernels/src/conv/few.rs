//! Inputs of few channels: pictures above all.
//!
//! In a block of sixteen channels most of each cache line would be zeros that no one multiplies. Where there are at most
//! [`STEP`] channels, the tile is packed closer before the micro-kernels read it, four pixels a line.

use crate::simd::{LANES, Multiply, Vector};

/// Numbers of a pixel.
pub(super) const STEP: usize = 4;

/// Numbers of a packed tile that has `length`: what is written behind the last pixel included.
pub(super) fn packed_len(length: usize) -> usize {
    length / LANES * STEP + LANES
}

/// Packs a tile of one block, as it is multiplied.
#[inline(always)]
pub(super) fn pack<M: Multiply>(tile: &[M::Number], to: &mut [M::Cell]) {
    assert!(packed_len(tile.len()) <= to.len());
    for pixel in 0..tile.len() / LANES {
        // Zeros behind the pixel's own numbers are overwritten by the next one's.
        // SAFETY: within `tile`, and within `to` as checked above.
        unsafe { M::store(M::Vector::load(tile.as_ptr().add(pixel * LANES)), to.as_mut_ptr().add(pixel * STEP)) }
    }
}
