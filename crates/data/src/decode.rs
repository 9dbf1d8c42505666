//! Pixels out of an encoded image, JPEG or PNG.
//!
//! A file of kilobytes can promise gigabytes, so what its head says is looked at before any pixel is decoded. Decoders that
//! panic on damage give an error here.

use crate::Picture;
use cnn_core::{Bytes, guard, memory};
use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// An encoded image, or the beginning of one.
#[derive(Clone, Copy)]
pub(crate) struct Encoded<'a> {
    pub(crate) bytes: &'a [u8],
    /// The most pixels that are decoded.
    pub(crate) max_pixels: u64,
}

/// The usual bound on the pixels of an image, that of the Python Imaging Library: 268 MB in red, green and blue.
pub(crate) const MAX_PIXELS: u64 = 89_478_485;
/// Bytes that the decoders hold for a pixel at most, and this crate beside them: a progressive JPEG's coefficients and
/// colours, or a PNG's sixteen bits in four channels, and what is made of either.
const HELD: u64 = 16;
/// What a decoder may hold beside the pixels: tables, profiles, texts.
const BESIDE: u64 = 64 << 20;

/// What is wrong with an image: expected and found.
type Problem = String;

impl<'a> Encoded<'a> {
    /// Height and width, from the image's head.
    pub(crate) fn size(self) -> Result<[usize; 2], Problem> {
        let format = self.format()?;
        self.fitting(decoding(|| self.reader(format).into_dimensions())?)
    }

    /// All pixels in red, green and blue.
    pub(crate) fn picture(self) -> Result<Picture<'static>, Problem> {
        let decoded = self.decoded()?.into_rgb8();
        let [height, width] = [decoded.height(), decoded.width()].map(|side| side as usize);
        let together = decoded.into_raw();
        let mut pixels = Vec::with_capacity(together.len());
        for channel in 0..3 {
            pixels.extend(together.iter().skip(channel).step_by(3));
        }
        Ok(Picture { shape: [3, height, width], pixels: pixels.into() })
    }

    /// All pixels in the order (channel, row, column): grey for one channel, else red, green and blue.
    #[cfg(feature = "hub")]
    pub(crate) fn pixels(self, channels: usize) -> Result<Vec<u8>, Problem> {
        match channels {
            1 => Ok(self.decoded()?.into_luma8().into_raw()),
            _ => Ok(self.picture()?.pixels.into_owned()),
        }
    }

    fn decoded(self) -> Result<DynamicImage, Problem> {
        let format = self.format()?;
        // Of a JPEG that ends early the decoder makes grey; a PNG's own checks find it.
        if format == ImageFormat::Jpeg && !ends(self.bytes) {
            return Err(format!("it is damaged: the JPEG has no end within its {} bytes", self.bytes.len()));
        }
        let [height, width] = self.size()?;
        let pixels = height as u64 * width as u64;
        memory::ask(Bytes(pixels * HELD))
            .map_err(|shortage| format!("to decode {height}×{width} pixels {shortage}"))?;
        let decoded = decoding(|| DynamicImage::from_decoder(self.reader(format).into_decoder()?))?;
        match [decoded.height() as usize, decoded.width() as usize] == [height, width] {
            true => Ok(decoded),
            false => Err(format!("it is damaged: its head promises {height}×{width} pixels")),
        }
    }

    fn format(self) -> Result<ImageFormat, Problem> {
        // The ending of a name says nothing: only what the file begins with does.
        match image::guess_format(self.bytes) {
            Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png)) => Ok(format),
            Ok(other) => Err(format!("expected JPEG or PNG, found {other:?}")),
            Err(_) => Err("expected JPEG or PNG, found a file that is no image".to_string()),
        }
    }

    fn reader(self, format: ImageFormat) -> ImageReader<Cursor<&'a [u8]>> {
        let mut reader = ImageReader::with_format(Cursor::new(self.bytes), format);
        let mut limits = Limits::default();
        limits.max_alloc = Some(self.max_pixels.saturating_mul(HELD).saturating_add(BESIDE));
        reader.limits(limits);
        reader
    }

    /// Height and width, if they are not too much.
    fn fitting(self, (width, height): (u32, u32)) -> Result<[usize; 2], Problem> {
        match u64::from(width) * u64::from(height) {
            0 => Err("expected at least one pixel, found none".to_string()),
            pixels if pixels > self.max_pixels => {
                let most = self.max_pixels;
                Err(format!("expected at most {most} pixels, found {height}×{width}: max-pixels sets the bound"))
            }
            _ => Ok([height as usize, width as usize]),
        }
    }
}

/// Runs a decoder; should it panic, that is an error of the image.
fn decoding<T>(decode: impl FnOnce() -> Result<T, ImageError>) -> Result<T, Problem> {
    let problem = match guard::caught(decode) {
        Ok(Ok(decoded)) => return Ok(decoded),
        Ok(Err(problem)) => problem.to_string(),
        Err(_) => "the decoder gave up".to_string(),
    };
    Err(format!("it is damaged: {}", problem.lines().next().unwrap_or_default()))
}

/// Whether a JPEG's marker of its end follows the beginning of its pixels: one before that is a thumbnail's.
fn ends(bytes: &[u8]) -> bool {
    const SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some([0xff, marker, high, low]) = bytes.get(at..at + 4).and_then(|head| head.first_chunk()) {
        match *marker {
            SCAN => return bytes[at..].windows(2).any(|pair| pair == [0xff, 0xd9]),
            // A marker may be preceded by any number of these.
            0xff => at += 1,
            _ => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
        }
    }
    false
}
