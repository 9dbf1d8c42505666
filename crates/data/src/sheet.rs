//! Many images on one field, to look at.

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
    fn bad_input_is_an_error() {
        let images = Images::new([1, 1, 1], vec![0], vec![0]).unwrap();
        assert!(matches!(sheet(&images, &[0], 0), Err(Error::Columns)));
        assert!(matches!(sheet(&images, &[1], 1), Err(Error::Index { .. })));
        assert_eq!(sheet(&images, &[0], usize::MAX).unwrap().width, 1);
        assert!(sheet(&images, &[], 3).unwrap().pixels.is_empty());
    }
}
