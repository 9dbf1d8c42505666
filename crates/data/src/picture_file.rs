//! A picture's file.

use crate::decode::{Encoded, MAX_PIXELS};
use crate::{Error, Picture};
use cnn_core::file;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The most bytes of an encoded image: more than any of [`MAX_PIXELS`] has.
const MOST: u64 = 1_000_000_000;
/// Of most images the size stands in so many bytes.
const HEAD: u64 = 1 << 16;

impl Picture<'static> {
    /// A JPEG or PNG file in red, green and blue.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Image`]: what is no regular file, no picture, damaged, or has more pixels than
    /// [`FolderConfig::MAX_PIXELS`](crate::FolderConfig::MAX_PIXELS).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        pixels(path.as_ref(), MAX_PIXELS)
    }

    /// The same of a file's bytes; `source` is what an error names.
    ///
    /// # Errors
    /// [`Error::Image`], as [`Picture::open`].
    pub fn decode(bytes: &[u8], source: &str) -> Result<Self, Error> {
        Encoded { bytes, max_pixels: MAX_PIXELS }.picture().map_err(problem(Path::new(source)))
    }
}

/// Height and width of an image, from its file's head.
pub(crate) fn size(path: &Path, max_pixels: u64) -> Result<[usize; 2], Error> {
    let mut file = file::open(path).map_err(unread(path))?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(unread(path))?;
    let size = Encoded { bytes: &bytes, max_pixels }.size();
    if size.is_ok() || (bytes.len() as u64) < HEAD {
        return size.map_err(problem(path));
    }
    drop(file);
    // A profile or a thumbnail lies before the size.
    let bytes = file::read(path, MOST).map_err(unread(path))?;
    Encoded { bytes: &bytes, max_pixels }.size().map_err(problem(path))
}

/// All pixels in red, green and blue.
pub(crate) fn pixels(path: &Path, max_pixels: u64) -> Result<Picture<'static>, Error> {
    let bytes = file::read(path, MOST).map_err(unread(path))?;
    Encoded { bytes: &bytes, max_pixels }.picture().map_err(problem(path))
}

fn problem(path: &Path) -> impl Fn(String) -> Error + '_ {
    move |problem| Error::Image { path: path.to_path_buf(), problem }
}

/// What is there and no file of an image is an error of the image; what the system refuses is one of reading.
fn unread(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    move |source| match source.kind() {
        ErrorKind::InvalidInput | ErrorKind::FileTooLarge => problem(path)(source.to_string()),
        _ => Error::Read { path: path.to_path_buf(), source },
    }
}
