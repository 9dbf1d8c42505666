//! The planes of transformed tiles: one for each number of a tile.

/// Inputs of a tile along an axis: its outputs and the taps of the kernel, less one.
pub(super) const IN: usize = 6;
/// Numbers of a transformed tile.
pub(super) const PLANES: usize = IN * IN;

/// An odd number of cache lines: planes at a distance of a power of two would evict each other.
pub(crate) fn odd(vectors: usize) -> usize {
    vectors | 1
}
