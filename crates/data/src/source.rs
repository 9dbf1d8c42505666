//! Where images come from, when they are not in memory.

use crate::{Error, Picture};
use std::any::Any;
use std::fmt;
use std::path::PathBuf;

/// Images of a kind of its own: out of an archive, a data base, drawn when they are asked for. [`Images::from_source`]
/// makes a set of it that everything here takes; a folder's files are one.
///
/// ```
/// use cnn_data::{Error, Fit, ImageSource, Images, Loader, Picture, Preparation};
///
/// /// Stripes, lying for label 0 and standing for label 1, drawn when they are asked for.
/// #[derive(Debug)]
/// struct Stripes(usize);
///
/// impl ImageSource for Stripes {
///     fn labels(&self) -> Vec<u32> {
///         (0..self.0).map(|index| (index % 2) as u32).collect()
///     }
///
///     fn shape(&self) -> [usize; 3] {
///         [1, 16, 16]
///     }
///
///     fn picture(&self, index: usize) -> Result<Picture<'_>, Error> {
///         let stripe = |pixel: usize| if index % 2 == 0 { pixel / 16 } else { pixel % 16 };
///         Picture::new(self.shape(), (0..256).map(|pixel| (stripe(pixel) % 4 * 60) as u8).collect())
///     }
/// }
///
/// let images = Images::from_source(Stripes(100))?;
/// let preparation = Preparation::of(&images)?.fitted(Fit::Pad { height: 20, width: 20 });
/// let batch = Loader::new(&images, preparation, 10)?.epoch(7, 0).next().unwrap()?;
/// assert_eq!((batch.labels.len(), batch.shape), (10, [1, 20, 20]));
/// # Ok::<(), Error>(())
/// ```
///
/// [`Images::from_source`]: crate::Images::from_source
pub trait ImageSource: Any + fmt::Debug + Send + Sync {
    /// The label of each image. It is asked once.
    fn labels(&self) -> Vec<u32>;

    /// Channels, height and width of one image; of images that differ in size, the least height and the least width.
    fn shape(&self) -> [usize; 3];

    /// Whether all images have the same size. Where not, only a fit of one size can prepare them.
    fn has_one_size(&self) -> bool {
        true
    }

    /// The height and the width in the middle, each by itself: the size of most images, where more than half have one.
    fn usual_size(&self) -> [usize; 2] {
        let [_, height, width] = self.shape();
        [height, width]
    }

    /// Whether the images are all grey, though they come in more channels.
    fn is_grey(&self) -> bool {
        false
    }

    /// Whether pictures are turned as their cameras noted: see [`Reading::upright`](crate::Reading::upright).
    fn is_upright(&self) -> bool {
        true
    }

    /// The file of image `index`, if it is one's.
    fn file(&self, index: usize) -> Option<PathBuf> {
        let _ = index;
        None
    }

    /// What tells image `index` from another that would take its place in a later version of the data, such as its name and
    /// its size in bytes: [`Dataset::digest`](crate::Dataset::digest) is made of it.
    fn identity(&self, index: usize) -> String {
        let _ = index;
        String::new()
    }

    /// Image `index`, less than the number of labels. Threads ask for several at once, and for the same again: each time it
    /// must be the same.
    ///
    /// # Errors
    /// [`Error::Own`] with whatever went wrong; the batch fails, unless [`ImageSource::leaves_out`] says otherwise.
    fn picture(&self, index: usize) -> Result<Picture<'_>, Error>;

    /// Whether the image that failed with this error is left out of its batch.
    fn leaves_out(&self, error: &Error) -> bool {
        let _ = error;
        false
    }

    /// The files of images that were left out so far.
    fn left_out(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Whether the other source gives the same images; unless it can tell more, a source is the same as itself alone.
    fn is_same(&self, other: &dyn ImageSource) -> bool {
        std::ptr::addr_eq(self, other)
    }
}
