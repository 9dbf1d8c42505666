//! A picture that a page shows.

use super::picture;
use crate::error::{Error, Result};
use cnn_network::Network;

/// A picture, and the numbers that the network reads of it.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// What it is called, as its file is.
    pub name: &'a str,
    /// What the network reads, `(C, H, W)`.
    pub image: Vec<f32>,
    /// The same as bytes from 0 to 255, for people: what it was before mean and deviation were applied.
    pub pixels: Vec<u8>,
}

impl Subject<'_> {
    /// Whether there are as many numbers and bytes as the network reads.
    pub(super) fn check(&self, network: &Network) -> Result<()> {
        let expected = network.input();
        match [self.image.len(), self.pixels.len()].into_iter().find(|length| *length != expected.elements()) {
            Some(found) => Err(Error::Image { network: network.name().to_string(), expected, found }),
            None => Ok(()),
        }
    }

    /// The picture as the network sees it, as an address within a page: in colour if it has three channels, else the
    /// first in grey.
    pub(super) fn address(&self, network: &Network) -> Result<String> {
        let [height, width] = network.input().size().map_or([1, self.pixels.len()], |size| size.axes());
        let plane = height * width;
        let channels = if self.pixels.len() == 3 * plane { 3 } else { 1 };
        let bytes: Vec<u8> = (0..plane)
            .flat_map(|place| (0..channels).map(move |channel| self.pixels[channel * plane + place]))
            .collect();
        picture::pixels(&bytes, channels, width)
    }
}
