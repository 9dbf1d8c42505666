//! How a picture's file is read.

/// What is read of a picture's file, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The most pixels of a picture, looked up before any is decoded: one that has more is refused.
    pub max_pixels: u64,
    /// Whether a picture is turned as its camera noted (EXIF's orientation). torchvision does not, so `false` is what its
    /// figures were made with.
    pub upright: bool,
}

impl Reading {
    /// The usual bound on the pixels of a picture, that of the Python Imaging Library: 268 MB in red, green and blue.
    pub const MAX_PIXELS: u64 = 89_478_485;
}

impl Default for Reading {
    /// At most [`Reading::MAX_PIXELS`], upright.
    fn default() -> Self {
        Self { max_pixels: Self::MAX_PIXELS, upright: true }
    }
}
