//! One image while something is done with it.

use crate::resample::{Resample, Window};
use crate::{Error, Fit, Interpolation, Sheet};
use std::borrow::Cow;

/// The bytes of one image: in the order (channel, row, column), borrowed from its set until a step changes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture<'a> {
    pub(crate) shape: [usize; 3],
    pub(crate) pixels: Cow<'a, [u8]>,
}

impl Picture<'static> {
    /// An image of `shape` (channels, height, width) from its bytes, in the order (channel, row, column).
    ///
    /// # Errors
    /// [`Error::EmptyShape`] where a number of the shape is 0, [`Error::Lengths`] where the bytes are not as many.
    pub fn new(shape: [usize; 3], pixels: Vec<u8>) -> Result<Self, Error> {
        if shape.contains(&0) {
            return Err(Error::EmptyShape { shape });
        }
        let bytes = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        if bytes != Some(pixels.len()) {
            let expected = bytes.unwrap_or(usize::MAX);
            return Err(Error::Lengths { shape, labels: 1, expected, found: pixels.len() });
        }
        Ok(Self { shape, pixels: pixels.into() })
    }
}

impl Picture<'_> {
    /// The same picture in one channel or in three: grey by the weights of ITU-R BT.601 as Pillow rounds them, colours
    /// that are all the grey. Of any other number of channels `None`, but of the picture's own.
    pub fn in_channels(&self, channels: usize) -> Option<Picture<'_>> {
        let [own, height, width] = self.shape;
        let pixels = match (own, channels) {
            _ if own == channels => Cow::Borrowed(&*self.pixels),
            (3, 1) => Cow::Owned(self.grey().into_owned()),
            (1, 3) => Cow::Owned(self.pixels.repeat(3)),
            _ => return None,
        };
        Some(Picture { shape: [channels, height, width], pixels })
    }

    /// The picture stretched to a height and a width, as the Python Imaging Library does it.
    ///
    /// # Errors
    /// [`Error::Preparation`] for a size without pixels or of more than [`Fit::MAX_SIDE`].
    pub fn stretched(
        &self,
        [height, width]: [usize; 2],
        interpolation: Interpolation,
    ) -> Result<Picture<'static>, Error> {
        let fit = Fit::Resize { height, width, interpolation };
        let unsuited = |[expected, found]: [String; 2]| Error::Preparation { shape: self.shape, expected, found };
        let size = fit.size(self.size()).map_err(unsuited)?;
        let whole = Window { top: 0, left: 0, height, width };
        Ok(self.resampled(&Resample::new(self.size(), size, whole, interpolation)))
    }

    /// The picture stretched and cut as was worked out for its size.
    pub(crate) fn resampled(&self, resample: &Resample) -> Picture<'static> {
        let [channels, _, width] = self.shape;
        let pixels: Vec<u8> = self.planes().flat_map(|plane| resample.plane(plane, width)).collect();
        let [height, width] = resample.size();
        Picture { shape: [channels, height, width], pixels: pixels.into() }
    }

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

    /// Makes dark bright and bright dark.
    pub fn invert(&mut self) {
        self.pixels_mut().iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
    }

    /// The bytes, to be changed.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        self.pixels.to_mut()
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

    /// The grey value of each pixel, as ITU-R BT.601 weighs red, green and blue, in 16-bit fixed point as Pillow does; of
    /// other than three channels, the bytes as they are.
    pub(crate) fn grey(&self) -> Cow<'_, [u8]> {
        let mut planes = self.planes();
        match (self.shape[0], planes.next(), planes.next(), planes.next()) {
            (3, Some(red), Some(green), Some(blue)) => {
                let weigh = |((red, green), blue): ((&u8, &u8), &u8)| {
                    (u32::from(*red) * 19_595 + u32::from(*green) * 38_470 + u32::from(*blue) * 7_471 + 0x8000) >> 16
                };
                red.iter().zip(green).zip(blue).map(|pixel| weigh(pixel) as u8).collect()
            }
            _ => Cow::Borrowed(&self.pixels),
        }
    }

    /// The channels, one after the other, each in rows.
    pub(crate) fn planes(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.shape[1] * self.shape[2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::DynamicImage;
    use image::codecs::png::PngDecoder;
    use std::io::Cursor;

    /// `Image.new("RGB", …).convert("L")` of Pillow.
    #[test]
    fn grey_is_pillows() {
        let colours = Picture { shape: [3, 1, 4], pixels: vec![255, 10, 0, 1, 0, 200, 0, 2, 0, 30, 255, 3].into() };
        assert_eq!(colours.in_channels(1).unwrap().pixels(), [76, 124, 29, 2]);
        let grey = Picture { shape: [1, 1, 2], pixels: vec![7, 8].into() };
        assert_eq!(grey.in_channels(3).unwrap().pixels(), [7, 8, 7, 8, 7, 8]);
        assert_eq!(grey.in_channels(1).unwrap(), grey);
        assert!(grey.in_channels(2).is_none());
    }

    #[test]
    fn inverted_twice_is_as_before() {
        let mut picture = Picture { shape: [1, 1, 3], pixels: vec![0, 7, 255].into() };
        picture.invert();
        assert_eq!(picture.pixels(), [255, 248, 0]);
        picture.invert();
        assert_eq!(picture.pixels(), [0, 7, 255]);
    }

    #[test]
    fn bytes_must_be_as_many_as_the_shape_says() {
        assert_eq!(Picture::new([1, 2, 2], vec![1, 2, 3, 4]).unwrap().pixels(), [1, 2, 3, 4]);
        assert!(matches!(Picture::new([1, 2, 2], vec![0; 5]), Err(Error::Lengths { expected: 4, found: 5, .. })));
        assert!(matches!(Picture::new([1, 0, 2], vec![]), Err(Error::EmptyShape { .. })));
        assert!(matches!(Picture::new([usize::MAX; 3], vec![]), Err(Error::Lengths { .. })));
    }

    #[test]
    fn a_png_has_the_pixels_of_the_picture() {
        let decoded = |shape: [usize; 3], pixels: &[u8]| {
            let png = Picture { shape, pixels: pixels.into() }.png().unwrap();
            let decoder = PngDecoder::new(Cursor::new(png)).unwrap();
            DynamicImage::from_decoder(decoder).unwrap()
        };
        let colours = decoded([3, 1, 2], &[1, 2, 3, 4, 5, 6]).into_rgb8();
        assert_eq!((colours.dimensions(), colours.as_raw().as_slice()), ((2, 1), &[1, 3, 5, 2, 4, 6][..]));
        let grey = decoded([1, 2, 1], &[7, 8]).into_luma8();
        assert_eq!((grey.dimensions(), grey.as_raw().as_slice()), ((1, 2), &[7, 8][..]));
        assert_eq!(decoded([2, 1, 1], &[9, 10]).into_luma8().as_raw(), &[9]);
    }
}
