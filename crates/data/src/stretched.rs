//! Images in another size.

use crate::changed::{Change, Changed};
use crate::{Error, Images, Interpolation, Picture};

/// Each image is stretched to one size.
#[derive(Debug, PartialEq)]
struct Stretched {
    size: [usize; 2],
}

impl Change for Stretched {
    fn shape(&self, images: &Images) -> [usize; 3] {
        [images.channels(), self.size[0], self.size[1]]
    }

    fn sizes(&self, _: &Images) -> (bool, [usize; 2]) {
        (true, self.size)
    }

    fn apply<'a>(&self, _: usize, picture: Picture<'a>) -> Result<Picture<'a>, Error> {
        match picture.size() == self.size {
            true => Ok(picture),
            false => picture.stretched(self.size, Interpolation::Bilinear),
        }
    }
}

impl Images {
    /// The same images, each stretched to a height and a width when it is asked for, if it has another size: see
    /// [`Picture::stretched`]. A side of 0 counts as 1.
    #[must_use]
    pub fn stretched(&self, size: [usize; 2]) -> Self {
        let change = Stretched { size: size.map(|side| side.max(1)) };
        Self::from_source(Changed { images: self.clone(), change }).unwrap_or_else(|_| self.clone())
    }
}
