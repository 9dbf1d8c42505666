//! Images of another set, each changed when it is asked for.

use crate::{Error, ImageSource, Images, Picture};
use std::any::Any;
use std::fmt::Debug;
use std::path::PathBuf;

/// What is done to each image.
pub(crate) trait Change: Debug + PartialEq + Send + Sync + 'static {
    /// Channels, height and width of the changed images.
    fn shape(&self, images: &Images) -> [usize; 3];

    /// Whether they have one size, and which most of them have.
    fn sizes(&self, images: &Images) -> (bool, [usize; 2]);

    /// A changed picture: number `index` of its set.
    fn apply<'a>(&self, index: usize, picture: Picture<'a>) -> Result<Picture<'a>, Error>;
}

/// Images with what is done to them.
#[derive(Debug)]
pub(crate) struct Changed<C> {
    pub(crate) images: Images,
    pub(crate) change: C,
}

impl<C: Change> ImageSource for Changed<C> {
    fn labels(&self) -> Vec<u32> {
        self.images.labels().to_vec()
    }

    fn shape(&self) -> [usize; 3] {
        self.change.shape(&self.images)
    }

    fn has_one_size(&self) -> bool {
        self.change.sizes(&self.images).0
    }

    fn usual_size(&self) -> [usize; 2] {
        self.change.sizes(&self.images).1
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
        self.change.apply(index, self.images.picture(index)?)
    }

    fn leaves_out(&self, error: &Error) -> bool {
        self.images.leave_out(error)
    }

    fn left_out(&self) -> Vec<PathBuf> {
        self.images.damaged()
    }

    fn is_same(&self, other: &dyn ImageSource) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| self.change == other.change && self.images == other.images)
    }
}
