//! Changes of one's own.

use super::{Draws, Step};
use crate::{Error, Picture};
use std::fmt;
use std::sync::Arc;

/// A change to the bytes of a training image, drawn anew for each image and epoch: the [`Step`]s of an [`Augmentation`], or
/// one's own, which [`Loader::transformed`] takes.
///
/// ```
/// use cnn_data::{DigitsConfig, Draws, Error, Loader, Picture, Preparation, Transform, digits};
///
/// /// Black and white exchanged, every other image.
/// #[derive(Debug)]
/// struct Negative;
///
/// impl Transform for Negative {
///     fn apply(&self, picture: &mut Picture<'_>, _: [usize; 2], draws: &mut Draws) -> Result<(), Error> {
///         if draws.chance(0.5) {
///             picture.pixels_mut().iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
///         }
///         Ok(())
///     }
/// }
///
/// let data = digits(DigitsConfig { train: 64, test: 0, seed: 1 })?;
/// let loader = Loader::new(data.train(), Preparation::mnist(), 64)?.transformed(Negative);
/// let batch = loader.epoch(1, 0).next().unwrap()?;
/// assert_eq!(batch.images.len(), 64 * 28 * 28);
/// # Ok::<(), Error>(())
/// ```
///
/// [`Augmentation`]: super::Augmentation
/// [`Loader::transformed`]: crate::Loader::transformed
pub trait Transform: fmt::Debug + Send + Sync {
    /// Changes the image. `target` is the height and width that the network reads where images are stretched to them, else
    /// the image's own. The channels must stay. The size may change where the fit brings the new one too to what the
    /// network reads; behind a [`RandomResizedCrop`](super::RandomResizedCrop) nothing is stretched any more, and a size of
    /// `target` must stay. What is random comes from `draws` alone.
    ///
    /// # Errors
    /// [`Error::Own`] with whatever went wrong; the batch fails. It fails with [`Error::Preparation`] where the channels or
    /// the size are others.
    fn apply(&self, picture: &mut Picture<'_>, target: [usize; 2], draws: &mut Draws) -> Result<(), Error>;
}

impl Transform for Step {
    fn apply(&self, picture: &mut Picture<'_>, target: [usize; 2], draws: &mut Draws) -> Result<(), Error> {
        self.change(picture, target, draws);
        Ok(())
    }
}

impl<T: Transform + ?Sized> Transform for Arc<T> {
    fn apply(&self, picture: &mut Picture<'_>, target: [usize; 2], draws: &mut Draws) -> Result<(), Error> {
        (**self).apply(picture, target, draws)
    }
}
