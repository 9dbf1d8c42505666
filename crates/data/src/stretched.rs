//! Images in another size.

use crate::{Error, ImageSource, Images, Interpolation, Picture};
use std::any::Any;
use std::path::PathBuf;

/// Images of another set, each stretched to one size.
#[derive(Debug)]
struct Stretched {
    images: Images,
    size: [usize; 2],
}

impl ImageSource for Stretched {
    fn labels(&self) -> Vec<u32> {
        self.images.labels().to_vec()
    }

    fn shape(&self) -> [usize; 3] {
        [self.images.channels(), self.size[0], self.size[1]]
    }

    fn is_grey(&self) -> bool {
        self.images.are_grey()
    }

    fn is_upright(&self) -> bool {
        self.images.are_upright()
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        self.images.file(index)
    }

    fn identity(&self, index: usize) -> String {
        self.images.identity(index)
    }

    fn picture(&self, index: usize) -> Result<Picture<'_>, Error> {
        let picture = self.images.picture(index)?;
        if picture.size() == self.size {
            return Ok(picture);
        }
        picture.stretched(self.size, Interpolation::Bilinear)
    }

    fn leaves_out(&self, error: &Error) -> bool {
        self.images.leave_out(error)
    }

    fn left_out(&self) -> Vec<PathBuf> {
        self.images.damaged()
    }

    fn is_same(&self, other: &dyn ImageSource) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| self.size == other.size && self.images == other.images)
    }
}

impl Images {
    /// The same images, each stretched to a height and a width when it is asked for, if it has another size: see
    /// [`Picture::stretched`]. A side of 0 counts as 1.
    #[must_use]
    pub fn stretched(&self, size: [usize; 2]) -> Self {
        let source = Stretched { images: self.clone(), size: size.map(|side| side.max(1)) };
        Self::from_source(source).unwrap_or_else(|_| self.clone())
    }
}
