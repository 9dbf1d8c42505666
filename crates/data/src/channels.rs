//! Images in another number of channels.

use crate::changed::{Change, Changed};
use crate::{Error, Images, Picture};

/// Each image comes in another number of channels.
#[derive(Debug, PartialEq)]
struct Recoloured {
    channels: usize,
}

impl Change for Recoloured {
    fn shape(&self, images: &Images) -> [usize; 3] {
        [self.channels, images.height(), images.width()]
    }

    fn sizes(&self, images: &Images) -> (bool, [usize; 2]) {
        (images.have_one_size(), images.usual_size())
    }

    fn apply<'a>(&self, index: usize, picture: Picture<'a>) -> Result<Picture<'a>, Error> {
        let suited = picture.in_channels(self.channels).map(|suited| suited.pixels.into_owned());
        let shape = [self.channels, picture.shape[1], picture.shape[2]];
        match suited {
            Some(pixels) => Ok(Picture { shape, pixels: pixels.into() }),
            None => Err(Error::Channels { index, channels: self.channels, found: picture.shape }),
        }
    }
}

impl Images {
    /// The same images in one channel, for a network that reads grey, or in three: see [`Picture::in_channels`]. Each is
    /// changed when it is asked for. Of any other number of channels `None`, but of the images' own.
    pub fn in_channels(&self, channels: usize) -> Option<Self> {
        match (self.channels(), channels) {
            (own, _) if own == channels => Some(self.clone()),
            (3, 1) | (1, 3) => {
                Self::from_source(Changed { images: self.clone(), change: Recoloured { channels } }).ok()
            }
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
