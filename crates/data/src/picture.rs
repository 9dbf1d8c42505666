//! One image while something is done with it.

use crate::{Error, Sheet};
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

    /// The picture as the bytes of a PNG file: grey or in colours; of any other number of channels the first, in grey.
    ///
    /// # Errors
    /// [`Error::Sheet`] where it is too large.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        let [channels, height, width] = self.shape;
        let shown = if channels == 3 { 3 } else { 1 };
        let planes: Vec<&[u8]> = self.planes().take(shown).collect();
        let pixels = (0..height * width).flat_map(|pixel| planes.iter().map(move |plane| plane[pixel])).collect();
        Sheet { width, height, channels: shown, pixels }.png()
    }

    /// The channels, one after the other, each in rows.
    pub(crate) fn planes(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.shape[1] * self.shape[2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_has_the_pixels_of_the_picture() {
        let decoded = |shape: [usize; 3], pixels: &[u8]| {
            let png = Picture { shape, pixels: pixels.into() }.png().unwrap();
            image::load_from_memory(&png).unwrap()
        };
        let colours = decoded([3, 1, 2], &[1, 2, 3, 4, 5, 6]).into_rgb8();
        assert_eq!((colours.dimensions(), colours.as_raw().as_slice()), ((2, 1), &[1, 3, 5, 2, 4, 6][..]));
        let grey = decoded([1, 2, 1], &[7, 8]).into_luma8();
        assert_eq!((grey.dimensions(), grey.as_raw().as_slice()), ((1, 2), &[7, 8][..]));
        assert_eq!(decoded([2, 1, 1], &[9, 10]).into_luma8().as_raw(), &[9]);
    }
}
