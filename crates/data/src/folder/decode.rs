//! An image out of its file.

use std::fs::{self, File};
use std::io::{BufReader, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{ImageFormat, ImageReader};

use crate::{Error, Picture};

fn error(path: &Path, problem: impl Into<String>) -> Error {
    Error::Image { path: path.to_path_buf(), problem: problem.into() }
}

fn unread(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |source| Error::Read { path: path.to_path_buf(), source }
}

/// Runs a decoder; should it panic, that is an error of the image.
fn guarded<T>(path: &Path, decode: impl FnOnce() -> Result<T, image::ImageError>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(|problem| {
            let problem = problem.to_string();
            error(path, format!("it is damaged: {}", problem.lines().next().unwrap_or_default()))
        }),
        Err(_) => Err(error(path, "it is damaged: the decoder gave up")),
    }
}

fn format(path: &Path, found: Option<ImageFormat>) -> Result<ImageFormat, Error> {
    match found {
        Some(format @ (ImageFormat::Jpeg | ImageFormat::Png)) => Ok(format),
        Some(other) => Err(error(path, format!("expected JPEG or PNG, found {other:?}"))),
        None => Err(error(path, "expected JPEG or PNG, found a file that is no image")),
    }
}

/// Height and width, from the file's head.
pub(super) fn size(path: &Path) -> Result<[usize; 2], Error> {
    if path.is_dir() {
        return Err(error(path, "expected an image, found a folder"));
    }
    // The ending of a name says nothing: only what the file begins with does.
    let file = BufReader::new(File::open(path).map_err(unread(path))?);
    let reader = ImageReader::new(file).with_guessed_format().map_err(unread(path))?;
    format(path, reader.format())?;
    let (width, height) = guarded(path, || reader.into_dimensions())?;
    match width.min(height) {
        0 => Err(error(path, "expected at least one pixel, found none")),
        _ => Ok([height as usize, width as usize]),
    }
}

/// All pixels in red, green and blue.
pub(super) fn picture(path: &Path) -> Result<Picture<'static>, Error> {
    let bytes = fs::read(path).map_err(unread(path))?;
    // Of a JPEG that ends early the decoder makes grey; a PNG's own checks find it.
    if format(path, image::guess_format(&bytes).ok())? == ImageFormat::Jpeg && !ends(&bytes) {
        return Err(error(path, format!("it is damaged: the JPEG has no end within its {} bytes", bytes.len())));
    }
    let decoded = guarded(path, || ImageReader::new(Cursor::new(&bytes)).with_guessed_format()?.decode())?;
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let together = decoded.into_rgb8().into_raw();
    let mut pixels = Vec::with_capacity(together.len());
    for channel in 0..3 {
        pixels.extend(together.iter().skip(channel).step_by(3));
    }
    Ok(Picture { shape: [3, height, width], pixels: pixels.into() })
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
