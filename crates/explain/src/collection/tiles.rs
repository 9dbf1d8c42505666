//! Small pictures on one sheet.

use crate::error::Result;
use crate::page::picture;
#[cfg(feature = "embedding")]
use std::ops::Range;

/// Bytes of a sheet from which on it is packed with a loss.
#[cfg(feature = "embedding")]
const LARGE: usize = 150_000;

/// Small pictures of one size side by side.
#[derive(Clone, Debug)]
pub(crate) struct Tiles {
    /// Height and width of one.
    pub(crate) cell: [usize; 2],
    /// Pictures in a row.
    pub(crate) columns: usize,
    /// Red, green and blue, or grey.
    channels: usize,
    #[cfg(feature = "embedding")]
    count: usize,
    bytes: Vec<u8>,
}

#[cfg(feature = "embedding")]
impl Tiles {
    /// Room for so many pictures.
    pub(crate) fn new(cell: [usize; 2], colours: bool, count: usize) -> Self {
        let columns = (count as f64).sqrt().ceil().max(1.0) as usize;
        let channels = if colours { 3 } else { 1 };
        let bytes = vec![128; columns * count.div_ceil(columns) * cell[0] * cell[1] * channels];
        Self { cell, columns, channels, count: 0, bytes }
    }

    /// Adds a part of an image `(C, H, W)` of `width` to a row, so much smaller as an image of `full` rows and columns is
    /// to fit into a cell. One of other than three channels shows its first.
    pub(crate) fn push(&mut self, pixels: &[u8], size: [usize; 2], part: [Range<usize>; 2], full: [usize; 2]) {
        let (top, left) = (self.count / self.columns * self.cell[0], self.count % self.columns * self.cell[1]);
        self.count += 1;
        let plane = size[0] * size[1];
        let row = self.columns * self.cell[1];
        let ends = |axis: usize, at: usize| {
            let by = full[axis] as f64 / self.cell[axis] as f64;
            let start = part[axis].start + (at as f64 * by) as usize;
            let end = part[axis].start + ((at + 1) as f64 * by).ceil() as usize;
            start..end.clamp(start + 1, (start + 1).max(part[axis].end))
        };
        for y in (0..self.cell[0]).filter(|y| ends(0, *y).start < part[0].end) {
            for x in (0..self.cell[1]).filter(|x| ends(1, *x).start < part[1].end) {
                let (rows, columns) = (ends(0, y), ends(1, x));
                let count = (rows.len() * columns.len()) as u32;
                for channel in 0..self.channels {
                    let line = |row: usize| &pixels[channel * plane + row * size[1]..][columns.clone()];
                    let sum: u32 = rows.clone().flat_map(line).map(|byte| u32::from(*byte)).sum();
                    self.bytes[((top + y) * row + left + x) * self.channels + channel] = (sum / count) as u8;
                }
            }
        }
    }
}

impl Tiles {
    /// Pixels of the sheet, height and width.
    pub(crate) fn size(&self) -> [usize; 2] {
        let width = self.columns * self.cell[1];
        [self.bytes.len() / (width * self.channels).max(1), width]
    }

    /// The sheet as an address within a page; a large one is packed with a loss, as a photograph.
    pub(crate) fn address(&self) -> Result<String> {
        let [height, width] = self.size();
        #[cfg(feature = "embedding")]
        if self.bytes.len() >= LARGE {
            use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress_optimized};
            let (format, sampling) = match self.channels {
                3 => (PixelFormat::Rgb, Subsampling::S420),
                _ => (PixelFormat::Grayscale, Subsampling::S444),
            };
            let packed = compress_optimized(&self.bytes, width, height, format, 75, sampling);
            return Ok(picture::address("jpeg", &packed.map_err(|error| crate::Error::Jpeg(error.to_string()))?));
        }
        let _ = height;
        picture::pixels(&self.bytes, self.channels, width)
    }
}
