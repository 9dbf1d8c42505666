//! Pixels out of an encoded image.
//!
//! A file of kilobytes can promise gigabytes, so what its head says is looked at before any pixel is decoded. Decoders that
//! panic on damage give an error here.

mod colours;
mod gif;
mod jpeg;
mod orientation;
mod other;

use crate::{Picture, Reading};
use cnn_system::{Bytes, guard, memory};
use colours::Colours;
use image::ImageFormat;
use image::metadata::Orientation;

/// An encoded image, or the beginning of one.
#[derive(Clone, Copy)]
pub(crate) struct Encoded<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) reading: Reading,
}

/// The most pixels of a side. Filters over a line take memory as it is long, and no camera makes one so long.
const LONGEST: usize = 1 << 20;
/// Bytes that the decoders hold for a pixel at most, and this crate beside them: a progressive JPEG's coefficients and
/// colours, or a PNG's sixteen bits in four channels, and what is made of either.
const HELD: u64 = 16;
/// What a decoder may hold beside the pixels: tables, profiles, texts.
const BESIDE: u64 = 64 << 20;

/// What is wrong with an image: expected and found.
pub(crate) type Problem = String;

/// What an image's head says.
struct Head {
    /// Height and width as they are stored.
    size: [usize; 2],
    orientation: Orientation,
    /// Whether one channel says all.
    grey: bool,
}

/// What is known of an image before its pixels are decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline {
    /// Height and width, upright where that is asked for.
    pub(crate) size: [usize; 2],
    /// Whether one channel says all.
    pub(crate) grey: bool,
}

/// Pixels as they are stored.
struct Decoded {
    size: [usize; 2],
    /// Channel by channel, each in rows: grey, or red, green and blue.
    planes: Vec<u8>,
    colours: Colours,
    orientation: Orientation,
}

/// A decoded image, and what its file was.
pub(crate) struct Opened {
    pub(crate) picture: Picture<'static>,
    /// The format and the colours, as `JPEG grey` or `PNG RGBA, 16 bits`.
    pub(crate) kind: String,
}

impl<'a> Encoded<'a> {
    /// Whether it begins like an image of any format that is read.
    pub(crate) fn is_image(self) -> bool {
        self.format().is_ok()
    }

    /// Whether an image's size is known from the first bytes of its file.
    pub(crate) fn begins_with_size(self) -> bool {
        !matches!(self.format(), Ok(ImageFormat::Tiff | ImageFormat::WebP))
    }

    /// Height, width and whether it is grey, from the image's head.
    pub(crate) fn outline(self) -> Result<Outline, Problem> {
        let format = self.format()?;
        let head = self.head(format)?;
        let size = orientation::size(head.size, self.turn(format, head.orientation));
        Ok(Outline { size, grey: head.grey })
    }

    /// All pixels in red, green and blue.
    pub(crate) fn picture(self) -> Result<Picture<'static>, Problem> {
        self.open().map(|opened| opened.picture)
    }

    /// All pixels in red, green and blue, and what the file was.
    pub(crate) fn open(self) -> Result<Opened, Problem> {
        let (format, decoded) = self.decoded()?;
        let kind = format!("{} {}", name(format), decoded.colours);
        let grey = decoded.colours.is_grey();
        let turn = self.turn(format, decoded.orientation);
        let [height, width] = orientation::size(decoded.size, turn);
        let mut pixels = orientation::turned(decoded.planes, decoded.size, turn);
        if grey {
            let plane = pixels.len();
            pixels.reserve_exact(2 * plane);
            pixels.extend_from_within(..);
            pixels.extend_from_within(..plane);
        }
        Ok(Opened { picture: Picture { shape: [3, height, width], pixels: pixels.into() }, kind })
    }

    /// All pixels in the order (channel, row, column): grey for one channel, else red, green and blue.
    #[cfg(feature = "hub")]
    pub(crate) fn pixels(self, channels: usize) -> Result<Vec<u8>, Problem> {
        let picture = self.picture()?;
        let pixels = picture.in_channels(channels).map(|suited| suited.pixels.into_owned());
        Ok(pixels.unwrap_or_else(|| picture.pixels.into_owned()))
    }

    fn decoded(self) -> Result<(ImageFormat, Decoded), Problem> {
        let format = self.format()?;
        let head = self.head(format)?;
        let [height, width] = head.size;
        let pixels = height as u64 * width as u64;
        memory::ask(Bytes(pixels * HELD))
            .map_err(|shortage| format!("to decode {height}×{width} pixels {shortage}"))?;
        let decoded = guarded(|| match format {
            ImageFormat::Jpeg => jpeg::decoded(self),
            ImageFormat::Gif => gif::decoded(self),
            format => other::decoded(self, format),
        })?;
        match decoded.size == head.size {
            true => Ok((format, decoded)),
            false => Err(format!("it is damaged: its head promises {height}×{width} pixels")),
        }
    }

    fn head(self, format: ImageFormat) -> Result<Head, Problem> {
        let head = guarded(|| match format {
            ImageFormat::Jpeg => jpeg::head(self),
            ImageFormat::Gif => gif::head(self),
            format => other::head(self, format),
        })?;
        self.fitting(head.size)?;
        Ok(head)
    }

    /// How the image is to be turned; a TIFF always, as Pillow does.
    fn turn(self, format: ImageFormat, noted: Orientation) -> Orientation {
        match self.reading.upright || format == ImageFormat::Tiff {
            true => noted,
            false => Orientation::NoTransforms,
        }
    }

    /// The ending of a name says nothing: only what the file begins with does.
    fn format(self) -> Result<ImageFormat, Problem> {
        const EXPECTED: &str = "expected JPEG, PNG, GIF, BMP, TIFF or WebP";
        match image::guess_format(self.bytes) {
            Ok(
                format @ (ImageFormat::Jpeg
                | ImageFormat::Png
                | ImageFormat::Gif
                | ImageFormat::Bmp
                | ImageFormat::Tiff
                | ImageFormat::WebP),
            ) => Ok(format),
            Ok(other) => Err(format!("{EXPECTED}, found {}", name(other))),
            Err(_) if self.bytes.is_empty() => Err(format!("{EXPECTED}, found nothing: it is empty")),
            Err(_) => Err(format!("{EXPECTED}, found a file that is no image")),
        }
    }

    /// Refuses a height and a width that are too much.
    fn fitting(self, [height, width]: [usize; 2]) -> Result<(), Problem> {
        match height as u64 * width as u64 {
            0 => Err("expected at least one pixel, found none".to_string()),
            pixels if pixels > self.reading.max_pixels => {
                let most = self.reading.max_pixels;
                Err(format!("expected at most {most} pixels, found {height}×{width}: max-pixels sets the bound"))
            }
            _ if height.max(width) > LONGEST => {
                Err(format!("expected sides of at most {LONGEST} pixels, found {height}×{width}"))
            }
            _ => Ok(()),
        }
    }
}

fn name(format: ImageFormat) -> String {
    match format {
        ImageFormat::WebP => "WebP".to_string(),
        format => format!("{format:?}").to_uppercase(),
    }
}

/// Runs a decoder; should it panic, that is an error of the image.
fn guarded<T>(decode: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    match guard::caught(decode) {
        Ok(outcome) => outcome,
        Err(_) => Err(damage("the decoder gave up")),
    }
}

/// A decoder's error.
fn damage(problem: impl ToString) -> Problem {
    one_line("it is damaged", problem)
}

/// What is the matter, and the first line of what a decoder says of it.
fn one_line(matter: &str, said: impl ToString) -> Problem {
    format!("{matter}: {}", said.to_string().lines().next().unwrap_or_default())
}
