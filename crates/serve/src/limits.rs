//! What a server takes on.

use crate::error::{Error, Result};
use std::time::Duration;

/// What a server takes on; whatever is more is refused with a status that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body; 413 beyond.
    pub body: usize,
    /// Pixels of a picture, looked up before it is decoded; 422 beyond.
    pub pixels: u64,
    /// How long a body may take to arrive; 408 after.
    pub patience: Duration,
    /// Pictures that are read, wait or are computed at a time; 503 beyond.
    pub waiting: usize,
    /// Pictures that go through the network together.
    pub batch: usize,
}

impl Default for Limits {
    /// 10 MB, 25 million pixels, ten seconds, 256 pictures, of which 16 together.
    fn default() -> Self {
        Self { body: 10_000_000, pixels: 25_000_000, patience: Duration::from_secs(10), waiting: 256, batch: 16 }
    }
}

impl Limits {
    pub(crate) fn check(&self) -> Result<()> {
        let limits = [
            ("the bytes of a body", self.body as u64),
            ("the pixels of a picture", self.pixels),
            ("the pictures that wait", self.waiting as u64),
            ("the pictures of a batch", self.batch as u64),
        ];
        match limits.into_iter().find(|(_, limit)| *limit == 0) {
            Some((what, _)) => Err(Error::Limit { what }),
            None => Ok(()),
        }
    }
}
