//! Many images on one field, to look at.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::{Error, Images};

/// A picture: rows from the top, the bytes of a pixel together (grey, or red, green, blue).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Bytes per pixel: the channels of the images.
    pub channels: usize,
    /// `height · width · channels` bytes.
    pub pixels: Vec<u8>,
}

/// Lays the images at `indices` out in rows of at most `columns`, edge to edge; what is left of the last row stays black.
///
/// # Errors
/// [`Error::Columns`] where there is no column, [`Error::Index`] for an index beyond the last image, [`Error::TooMany`]
/// where the sheet does not fit into memory's addresses.
pub fn sheet(images: &Images, indices: &[usize], columns: usize) -> Result<Sheet, Error> {
    if columns == 0 {
        return Err(Error::Columns);
    }
    let [channels, height, width] = images.shape();
    let columns = columns.min(indices.len().max(1));
    let rows = indices.len().div_ceil(columns);
    let too_many = || Error::TooMany { count: rows.saturating_mul(columns), bytes: channels * height * width };
    let size = [rows, height, columns, width, channels].iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
    let size = size.filter(|size| *size <= isize::MAX as usize).ok_or_else(too_many)?;
    let (sheet_width, mut pixels) = (columns * width, vec![0; size]);
    for (place, index) in indices.iter().enumerate() {
        let image = images.image(*index).ok_or(Error::Index { index: *index, count: images.len() })?;
        let (top, left) = (place / columns * height, place % columns * width);
        for (channel, plane) in image.chunks_exact(height * width).enumerate() {
            for (offset, pixel) in plane.iter().enumerate() {
                let (row, column) = (top + offset / width, left + offset % width);
                pixels[(row * sheet_width + column) * channels + channel] = *pixel;
            }
        }
    }
    Ok(Sheet { width: sheet_width, height: rows * height, channels, pixels })
}

impl Sheet {
    /// Every pixel as a square of `factor` by `factor`; a factor of 0 counts as 1.
    ///
    /// # Errors
    /// [`Error::TooMany`] where it does not fit into memory's addresses.
    pub fn enlarged(&self, factor: usize) -> Result<Self, Error> {
        let factor = factor.max(1);
        let too_many = || Error::TooMany { count: factor.saturating_mul(factor), bytes: self.pixels.len() };
        let size = factor.checked_mul(factor).and_then(|area| area.checked_mul(self.pixels.len()));
        let size = size.filter(|size| *size <= isize::MAX as usize).ok_or_else(too_many)?;
        let mut pixels = Vec::with_capacity(size);
        for line in self.pixels.chunks_exact((self.width * self.channels).max(1)) {
            let wide = line.chunks_exact(self.channels).flat_map(|pixel| std::iter::repeat_n(pixel, factor)).flatten();
            let wide: Vec<u8> = wide.copied().collect();
            (0..factor).for_each(|_| pixels.extend_from_slice(&wide));
        }
        Ok(Self { width: self.width * factor, height: self.height * factor, channels: self.channels, pixels })
    }

    /// The sheet as the bytes of a PNG file.
    ///
    /// # Errors
    /// [`Error::Sheet`] where the sheet is empty, too large, or of other than 1 or 3 channels.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        let Self { width, height, channels, .. } = *self;
        let error = |problem: String| Error::Sheet { size: [height, width], channels, problem };
        let colour = match channels {
            1 => ExtendedColorType::L8,
            3 => ExtendedColorType::Rgb8,
            _ => return Err(error("a picture has 1 or 3 channels".to_string())),
        };
        let side = |side: usize| u32::try_from(side).map_err(|_| error("it is too large".to_string()));
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new(&mut bytes);
        let written = encoder.write_image(&self.pixels, side(width)?, side(height)?, colour);
        written.map_err(|problem| error(problem.to_string()))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_lie_in_rows_with_their_channels_together() {
        let images = Images::new([2, 1, 2], (1..=12).collect(), vec![0; 3]).unwrap();
        let found = sheet(&images, &[2, 0, 1], 2).unwrap();
        let pixels = vec![9, 11, 10, 12, 1, 3, 2, 4, 5, 7, 6, 8, 0, 0, 0, 0];
        assert_eq!(found, Sheet { width: 4, height: 2, channels: 2, pixels });
    }

    #[test]
    fn an_enlarged_sheet_is_a_picture() {
        let images = Images::new([3, 1, 2], vec![1, 2, 3, 4, 5, 6], vec![0]).unwrap();
        let large = sheet(&images, &[0], 1).unwrap().enlarged(2).unwrap();
        assert_eq!(large.pixels, [[1, 3, 5, 1, 3, 5, 2, 4, 6, 2, 4, 6]; 2].concat());
        let read = image::load_from_memory(&large.png().unwrap()).unwrap();
        assert_eq!((read.width(), read.height(), read.into_rgb8().into_raw()), (4, 2, large.pixels));
        let two = Sheet { width: 1, height: 1, channels: 2, pixels: vec![0; 2] };
        let error = two.png().unwrap_err().to_string();
        assert_eq!(error, "a sheet of 1×1 pixels of 2 channels cannot be a PNG: a picture has 1 or 3 channels");
    }

    #[test]
    fn bad_input_is_an_error() {
        let images = Images::new([1, 1, 1], vec![0], vec![0]).unwrap();
        assert!(matches!(sheet(&images, &[0], 0), Err(Error::Columns)));
        assert!(matches!(sheet(&images, &[1], 1), Err(Error::Index { .. })));
        assert_eq!(sheet(&images, &[0], usize::MAX).unwrap().width, 1);
        assert!(sheet(&images, &[], 3).unwrap().pixels.is_empty());
    }
}
