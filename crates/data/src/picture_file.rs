//! A picture's file.

use crate::decode::{Encoded, Opened, Outline};
use crate::{Error, Picture, Reading};
use cnn_system::file;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The most bytes of an encoded image: more than any of [`Reading::MAX_PIXELS`] has.
const MOST: u64 = 1_000_000_000;
/// Of most images the size stands in so many bytes.
const HEAD: u64 = 1 << 16;

impl Picture<'static> {
    /// A file in red, green and blue, upright: JPEG to the pixels of libjpeg-turbo, PNG, GIF (the first picture), BMP, TIFF
    /// or WebP. Transparency is left out; of sixteen bits the upper eight are kept. A TIFF of a palette, or grey with
    /// transparency, is not read.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Image`]: what is no regular file, no picture, of a kind that is not read, damaged, or
    /// has more pixels than [`Reading::MAX_PIXELS`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::read(path, Reading::default())
    }

    /// A file as [`Picture::open`] does, with another bound or as it lies in the file.
    ///
    /// # Errors
    /// As [`Picture::open`].
    pub fn read(path: impl AsRef<Path>, reading: Reading) -> Result<Self, Error> {
        opened(path.as_ref(), reading).map(|opened| opened.picture)
    }

    /// A picture from the bytes of a file; errors call it `name`.
    ///
    /// # Errors
    /// [`Error::Image`], as [`Picture::open`].
    pub fn decode(name: impl AsRef<Path>, bytes: &[u8], reading: Reading) -> Result<Self, Error> {
        Encoded { bytes, reading }.picture().map_err(problem(name.as_ref()))
    }
}

/// Whether a file is named like a picture of a kind that is read; what it holds is not looked at.
///
/// ```
/// assert!(cnn_data::is_named_like_a_picture("photos/cat.JPG".as_ref()));
/// assert!(!cnn_data::is_named_like_a_picture("photos/labels.txt".as_ref()));
/// ```
pub fn is_named_like_a_picture(path: &Path) -> bool {
    const ENDINGS: [&str; 12] =
        ["jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "bmp", "dib", "tif", "tiff", "webp"];
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Whether a file begins like a picture: its name says nothing. What cannot be read does not.
pub(crate) fn begins_like_a_picture(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = file::open(path).and_then(|file| file.take(64).read_to_end(&mut bytes));
    read.is_ok() && Encoded { bytes: &bytes, reading: Reading::default() }.is_image()
}

/// What an image's file says in its head.
pub(crate) fn outline(path: &Path, reading: Reading) -> Result<Outline, Error> {
    let mut file = file::open(path).map_err(unread(path))?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(unread(path))?;
    let encoded = Encoded { bytes: &bytes, reading };
    if encoded.begins_with_size() || (bytes.len() as u64) < HEAD {
        let outline = encoded.outline();
        if outline.is_ok() || (bytes.len() as u64) < HEAD {
            return outline.map_err(problem(path));
        }
    }
    drop(file);
    // A profile or a thumbnail lies before the size, or the size behind the pixels.
    let bytes = file::read(path, MOST).map_err(unread(path))?;
    Encoded { bytes: &bytes, reading }.outline().map_err(problem(path))
}

/// All pixels in red, green and blue, and what the file was.
pub(crate) fn opened(path: &Path, reading: Reading) -> Result<Opened, Error> {
    let bytes = bytes(path)?;
    Encoded { bytes: &bytes, reading }.open().map_err(problem(path))
}

/// All of a file, if it is no larger than a picture's may be.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    file::read(path, MOST).map_err(unread(path))
}

pub(crate) fn problem(path: &Path) -> impl Fn(String) -> Error + '_ {
    move |problem| Error::Image { path: path.to_path_buf(), problem }
}

/// What is there and no file of an image is an error of the image; what the system refuses is one of reading.
fn unread(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    move |source| match source.kind() {
        ErrorKind::InvalidInput | ErrorKind::FileTooLarge => problem(path)(source.to_string()),
        _ => Error::Read { path: path.to_path_buf(), source },
    }
}
