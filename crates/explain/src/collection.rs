//! Images of a data set, and what a network makes of them.

#[cfg(feature = "embedding")]
mod looking;
mod tiles;

use crate::exciting::Exciting;
pub(crate) use tiles::Tiles;

/// An image of a data set.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What the network reads, `(C, H, W)`.
    pub image: Vec<f32>,
    /// The same as bytes from 0 to 255, for people.
    pub pixels: Vec<u8>,
    /// Its class.
    pub label: usize,
}

/// Images of a data set, where a network's features put them, and those that excite its channels most: for a
/// [`Page`](crate::Page).
#[derive(Clone, Debug)]
pub struct Collection {
    pub(crate) name: String,
    /// For each image its class, the most probable class, and how probable it is.
    pub(crate) labels: Vec<usize>,
    pub(crate) answers: Vec<(usize, f32)>,
    pub(crate) thumbnails: Tiles,
    /// The node that the features are of, and how many there are.
    pub(crate) features: (String, usize),
    /// Where the images lie by their principal components, and the share of the variance along each.
    pub(crate) principal: Vec<[f64; 2]>,
    pub(crate) shares: [f64; 2],
    /// By t-SNE, where there are images enough.
    pub(crate) neighbours: Option<Vec<[f64; 2]>>,
    pub(crate) nodes: Vec<Excited>,
}

/// A node, and what excites its channels.
#[derive(Clone, Debug)]
pub(crate) struct Excited {
    pub(crate) path: String,
    pub(crate) shape: String,
    /// How many channels there are.
    pub(crate) all: usize,
    /// Pixels that a unit sees at most, height and width.
    pub(crate) sees: [usize; 2],
    /// Some channels, each with the images that excite it most.
    pub(crate) channels: Vec<(usize, Vec<Exciting>)>,
    /// The parts of the images, channel by channel.
    pub(crate) tiles: Tiles,
}
