//! One image while something is done with it.

use std::borrow::Cow;

/// The bytes of one image: in the order (channel, row, column), borrowed from its set until a step changes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture<'a> {
    pub(crate) shape: [usize; 3],
    pub(crate) pixels: Cow<'a, [u8]>,
}

impl Picture<'_> {
    /// Channels, height and width.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Height and width in pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.shape[1], self.shape[2]]
    }

    /// The bytes, in the order (channel, row, column).
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The channels, one after the other, each in rows.
    pub(crate) fn planes(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.shape[1] * self.shape[2])
    }
}
