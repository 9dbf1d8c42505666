//! The numbers of a node for one image.

use cnn_network::Shape;

/// The value of a node for one image, or a gradient of its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    /// Channels, height and width; or the length of a vector.
    pub shape: Shape,
    /// In the order (channel, row, column).
    pub numbers: Vec<f32>,
}

impl Maps {
    /// Height and width of a channel; 1 and 1 for a vector.
    pub fn size(&self) -> [usize; 2] {
        self.shape.size().map_or([1, 1], |size| size.axes())
    }

    /// The channels, each row by row.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        let [height, width] = self.size();
        self.numbers.chunks_exact((height * width).max(1))
    }

    /// The mean of each channel over its places: the features of an image at this node.
    pub fn pooled(&self) -> Vec<f32> {
        let mean = |places: &[f32]| places.iter().map(|x| f64::from(*x)).sum::<f64>() / places.len() as f64;
        self.channels().map(|places| mean(places) as f32).collect()
    }
}
