//! Images in another number of channels.

use crate::{Error, ImageSource, Images, Picture};
use std::any::Any;
use std::path::PathBuf;

/// Images of another set in another number of channels.
#[derive(Debug)]
struct Recoloured {
    images: Images,
    channels: usize,
}

impl ImageSource for Recoloured {
    fn labels(&self) -> Vec<u32> {
        self.images.labels().to_vec()
    }

    fn shape(&self) -> [usize; 3] {
        [self.channels, self.images.height(), self.images.width()]
    }

    fn has_one_size(&self) -> bool {
        self.images.have_one_size()
    }

    fn usual_size(&self) -> [usize; 2] {
        self.images.usual_size()
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
        let suited = picture.in_channels(self.channels).map(|suited| suited.pixels.into_owned());
        let shape = [self.channels, picture.shape[1], picture.shape[2]];
        match suited {
            Some(pixels) => Ok(Picture { shape, pixels: pixels.into() }),
            None => Err(Error::Channels { index, channels: self.channels, found: picture.shape }),
        }
    }

    fn leaves_out(&self, error: &Error) -> bool {
        self.images.leave_out(error)
    }

    fn left_out(&self) -> Vec<PathBuf> {
        self.images.damaged()
    }

    fn is_same(&self, other: &dyn ImageSource) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| self.channels == other.channels && self.images == other.images)
    }
}

impl Images {
    /// The same images in one channel, for a network that reads grey, or in three: see [`Picture::in_channels`]. Each is
    /// changed when it is asked for. Of any other number of channels `None`, but of the images' own.
    pub fn in_channels(&self, channels: usize) -> Option<Self> {
        match (self.channels(), channels) {
            (own, _) if own == channels => Some(self.clone()),
            (3, 1) | (1, 3) => Self::from_source(Recoloured { images: self.clone(), channels }).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_become_grey_and_colours_again() {
        let colours = Images::new([3, 1, 1], vec![255, 0, 0, 10, 200, 30], vec![4, 2]).unwrap();
        let grey = colours.in_channels(1).unwrap();
        assert_eq!((grey.shape(), grey.labels()), ([1, 1, 1], &[4, 2][..]));
        assert_eq!(grey.picture(1).unwrap(), colours.picture(1).unwrap().in_channels(1).unwrap());
        assert_eq!(grey, colours.in_channels(1).unwrap());
        let back = grey.select(&[1]).unwrap().in_channels(3).unwrap();
        assert_eq!(back.picture(0).unwrap().pixels(), [124; 3]);
        assert_eq!(colours.in_channels(3).unwrap(), colours);
        assert!(colours.in_channels(2).is_none());
    }
}
