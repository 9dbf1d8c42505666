//! A field of pixels, to look at.

use crate::Error;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

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

/// Cells of one size in rows, edge to edge or with gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Cells below each other.
    pub rows: usize,
    /// Cells beside each other.
    pub columns: usize,
    /// Height and width of a cell in pixels.
    pub cell: [usize; 2],
    /// Pixels between two cells.
    pub gap: usize,
}

impl Grid {
    /// Height and width of the sheet that holds it, in pixels.
    ///
    /// # Errors
    /// [`Error::SheetSize`] where the sheet has more pixels than [`Sheet::MAX_PIXELS`].
    pub fn size(&self) -> Result<[usize; 2], Error> {
        let side = |cells: usize, cell: usize| {
            let gaps = self.gap.saturating_mul(cells.saturating_sub(1));
            cells.saturating_mul(cell).saturating_add(gaps)
        };
        let size = [side(self.rows, self.cell[0]), side(self.columns, self.cell[1])];
        let fits = size[0].checked_mul(size[1]).is_some_and(|pixels| pixels <= Sheet::MAX_PIXELS);
        if fits { Ok(size) } else { Err(Error::SheetSize { size, most: Sheet::MAX_PIXELS }) }
    }
}

impl Sheet {
    /// The most pixels of a sheet: what the Python Imaging Library opens without a warning.
    pub const MAX_PIXELS: usize = 89_478_485;

    /// Every pixel as a square of `factor` by `factor`; a factor of 0 counts as 1.
    ///
    /// # Errors
    /// [`Error::SheetSize`] where there would be more pixels than [`Sheet::MAX_PIXELS`], [`Error::SheetBytes`] where the
    /// bytes are not as many as the pixels need.
    pub fn enlarged(&self, factor: usize) -> Result<Self, Error> {
        self.check()?;
        let factor = factor.max(1);
        let enlarged = Grid { rows: factor, columns: factor, cell: [self.height, self.width], gap: 0 };
        let [height, width] = enlarged.size()?;
        let mut pixels = Vec::with_capacity(height * width * self.channels);
        for line in self.pixels.chunks_exact(self.width.saturating_mul(self.channels).max(1)) {
            let wide = line.chunks_exact(self.channels).flat_map(|pixel| std::iter::repeat_n(pixel, factor)).flatten();
            let wide: Vec<u8> = wide.copied().collect();
            (0..factor).for_each(|_| pixels.extend_from_slice(&wide));
        }
        Ok(Self { width, height, channels: self.channels, pixels })
    }

    /// The sheet as the bytes of a PNG file.
    ///
    /// # Errors
    /// [`Error::Sheet`] where the sheet is empty, too large, or of other than 1 or 3 channels, [`Error::SheetBytes`] where
    /// the bytes are not as many as the pixels need.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        let Self { width, height, channels, .. } = *self;
        let error = |problem: String| Error::Sheet { size: [height, width], channels, problem };
        let colour = match channels {
            1 => ExtendedColorType::L8,
            3 => ExtendedColorType::Rgb8,
            _ => return Err(error("a picture has 1 or 3 channels".to_string())),
        };
        self.check()?;
        let side = |side: usize| u32::try_from(side).map_err(|_| error("it is too large".to_string()));
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new(&mut bytes);
        let written = encoder.write_image(&self.pixels, side(width)?, side(height)?, colour);
        written.map_err(|problem| error(problem.to_string()))?;
        Ok(bytes)
    }

    /// Refuses other than `height · width · channels` bytes.
    fn check(&self) -> Result<(), Error> {
        let Self { width, height, channels, .. } = *self;
        let expected = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels));
        match expected == Some(self.pixels.len()) {
            true => Ok(()),
            false => Err(Error::SheetBytes { size: [height, width], channels, found: self.pixels.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_as_many_are_an_error() {
        for (channels, bytes) in [(0, 5), (1, 7), (3, 17), (3, 19), (3, 0)] {
            let sheet = Sheet { width: 3, height: 2, channels, pixels: vec![0; bytes] };
            let expected = format!(
                "a sheet of 2×3 pixels of {channels} channels has {bytes} bytes, expected one for each channel of a pixel"
            );
            assert_eq!(sheet.enlarged(2).unwrap_err().to_string(), expected);
            assert!(sheet.png().is_err_and(|error| channels == 0 || error.to_string() == expected));
        }
        let vast = Sheet { width: usize::MAX, height: 2, channels: 1, pixels: vec![0; 2] };
        assert!(vast.enlarged(1).is_err() && vast.png().is_err());
        let none = Sheet { width: 3, height: 2, channels: 0, pixels: Vec::new() };
        assert!(none.enlarged(2).unwrap().pixels.is_empty());
        let flat = Sheet { width: usize::MAX, height: 0, channels: 3, pixels: Vec::new() };
        assert!(flat.enlarged(2).unwrap().pixels.is_empty());
    }

    #[test]
    fn a_sheet_has_a_bound() {
        let error = Grid { rows: 1000, columns: 1001, cell: [28, 28], gap: 0 }.size().unwrap_err().to_string();
        assert_eq!(
            error,
            "a sheet of 28000×28028 pixels is too large, expected at most 89478485: fewer or smaller images"
        );
        assert!(Grid { rows: usize::MAX, columns: usize::MAX, cell: [2, 2], gap: 9 }.size().is_err());
        let one = Sheet { width: 100, height: 100, channels: 1, pixels: vec![0; 10_000] };
        assert_eq!(one.enlarged(94).unwrap().height, 9400);
        assert!(matches!(one.enlarged(95), Err(Error::SheetSize { size: [9500, 9500], .. })));
        assert!(matches!(one.enlarged(usize::MAX), Err(Error::SheetSize { .. })));
    }
}
