//! Many images on one sheet.

use crate::{Error, Grid, Images, Sheet};

/// Lays the images at `indices` out in rows of at most `columns`, `gap` pixels of white between them; what is left of the
/// last row stays black.
///
/// ```
/// use cnn_data::{DigitsConfig, digits, sheet};
///
/// let data = digits(DigitsConfig { train: 10, test: 0, seed: 1 })?;
/// let ten = sheet(data.train(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 5, 1)?;
/// assert_eq!([ten.height, ten.width], [2 * 28 + 1, 5 * 28 + 4]);
/// assert!(ten.enlarged(2)?.png()?.starts_with(b"\x89PNG"));
/// # Ok::<(), cnn_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::Columns`] where there is no column, [`Error::SheetImage`] for an image of another size than [`Images::shape`]
/// says; as [`Images::picture`], and as [`Grid::size`] where the sheet is too large.
pub fn sheet(images: &Images, indices: &[usize], columns: usize, gap: usize) -> Result<Sheet, Error> {
    if columns == 0 {
        return Err(Error::Columns);
    }
    let [channels, height, width] = images.shape();
    let columns = columns.min(indices.len().max(1));
    let grid = Grid { rows: indices.len().div_ceil(columns), columns, cell: [height, width], gap };
    let [sheet_height, sheet_width] = grid.size()?;
    let mut pixels = vec![0; sheet_height * sheet_width * channels];
    // A gap that lies between no two cells may be of any size.
    let step = grid.cell.map(|cell| cell.saturating_add(gap));
    let gaps = |place: usize, axis: usize| place % step[axis] >= grid.cell[axis];
    for (place, pixel) in pixels.chunks_exact_mut(channels).enumerate() {
        if gaps(place / sheet_width, 0) || gaps(place % sheet_width, 1) {
            pixel.fill(255);
        }
    }
    for (place, index) in indices.iter().enumerate() {
        let picture = images.picture(*index)?;
        if picture.size() != grid.cell {
            return Err(Error::SheetImage { index: *index, size: picture.size(), cell: grid.cell });
        }
        let (top, left) = (place / columns * step[0], place % columns * step[1]);
        for (channel, plane) in picture.planes().enumerate() {
            for (offset, pixel) in plane.iter().enumerate() {
                let (row, column) = (top + offset / width, left + offset % width);
                pixels[(row * sheet_width + column) * channels + channel] = *pixel;
            }
        }
    }
    Ok(Sheet { width: sheet_width, height: sheet_height, channels, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageSource, Picture};
    use image::DynamicImage;
    use image::codecs::png::PngDecoder;
    use std::io::Cursor;

    #[test]
    fn images_lie_in_rows_with_their_channels_together() {
        let images = Images::new([2, 1, 2], (1..=12).collect(), vec![0; 3]).unwrap();
        let found = sheet(&images, &[2, 0, 1], 2, 0).unwrap();
        let pixels = vec![9, 11, 10, 12, 1, 3, 2, 4, 5, 7, 6, 8, 0, 0, 0, 0];
        assert_eq!(found, Sheet { width: 4, height: 2, channels: 2, pixels });
        let grey = Images::new([1, 1, 2], (1..=6).collect(), vec![0; 3]).unwrap();
        let apart = sheet(&grey, &[0, 1, 2], 2, 1).unwrap();
        let pixels = [[1, 2, 255, 3, 4], [255; 5], [5, 6, 255, 0, 0]].concat();
        assert_eq!(apart, Sheet { width: 5, height: 3, channels: 1, pixels });
    }

    #[test]
    fn an_enlarged_sheet_is_a_picture() {
        let images = Images::new([3, 1, 2], vec![1, 2, 3, 4, 5, 6], vec![0]).unwrap();
        let large = sheet(&images, &[0], 1, 0).unwrap().enlarged(2).unwrap();
        assert_eq!(large.pixels, [[1, 3, 5, 1, 3, 5, 2, 4, 6, 2, 4, 6]; 2].concat());
        let decoder = PngDecoder::new(Cursor::new(large.png().unwrap())).unwrap();
        let read = DynamicImage::from_decoder(decoder).unwrap();
        assert_eq!((read.width(), read.height(), read.into_rgb8().into_raw()), (4, 2, large.pixels));
        let two = Sheet { width: 1, height: 1, channels: 2, pixels: vec![0; 2] };
        let error = two.png().unwrap_err().to_string();
        assert_eq!(error, "a sheet of 1×1 pixels of 2 channels cannot be a PNG: a picture has 1 or 3 channels");
    }

    #[test]
    fn bad_input_is_an_error() {
        let images = Images::new([1, 1, 1], vec![0], vec![0]).unwrap();
        assert!(matches!(sheet(&images, &[0], 0, 0), Err(Error::Columns)));
        assert!(matches!(sheet(&images, &[1], 1, 0), Err(Error::Index { .. })));
        assert_eq!(sheet(&images, &[0], usize::MAX, usize::MAX).unwrap().width, 1);
        assert!(sheet(&images, &[], 3, 2).unwrap().pixels.is_empty());
    }

    /// Image `i` has every pixel `i`; the last is wider where sizes differ.
    #[derive(Debug)]
    struct Numbered {
        count: usize,
        one_size: bool,
    }

    impl ImageSource for Numbered {
        fn labels(&self) -> Vec<u32> {
            vec![0; self.count]
        }

        fn shape(&self) -> [usize; 3] {
            [3, 1, 2]
        }

        fn picture(&self, index: usize) -> Result<Picture<'_>, Error> {
            let width = if self.one_size || index + 1 < self.count { 2 } else { 5 };
            Picture::new([3, 1, width], vec![index as u8; 3 * width])
        }
    }

    #[test]
    fn images_of_a_source_are_laid_out_too() {
        let source = |one_size| Images::from_source(Numbered { count: 10, one_size }).unwrap();
        let memory = Images::new([3, 1, 2], (0..10).flat_map(|index| [index; 6]).collect(), vec![0; 10]).unwrap();
        let indices = [0, 9, 4];
        assert_eq!(sheet(&source(true), &indices, 2, 1).unwrap(), sheet(&memory, &indices, 2, 1).unwrap());
        let error = sheet(&source(false), &indices, 2, 1).unwrap_err().to_string();
        assert_eq!(
            error,
            "image 9 is of 1×5 pixels, but a cell of the sheet of 1×2: bring the images to one size first"
        );
        assert!(sheet(&source(false), &[0, 8], 2, 1).is_ok());
        assert!(matches!(sheet(&source(true), &[10], 2, 1), Err(Error::Index { index: 10, count: 10 })));
    }
}
