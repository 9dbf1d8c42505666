//! What can be wrong with a batch.

use cnn_core::Shape;

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What can be wrong with a batch.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Images of another size.
    #[error("{network}: a batch of {batch} images {expected} has {} numbers, found {found}", batch * expected.elements())]
    BatchLength {
        /// The network.
        network: String,
        /// Images.
        batch: usize,
        /// The input the network expects.
        expected: Shape,
        /// Numbers given.
        found: usize,
    },
    /// A label that is no class.
    #[error("{network}: label {label} is not below {classes}, the number of classes")]
    Label {
        /// The network.
        network: String,
        /// The label.
        label: u32,
        /// Length of the output.
        classes: usize,
    },
    /// Labels that are not one for each image.
    #[error("{network}: {found} labels of mixed-in images for {expected} images")]
    Labels {
        /// The network.
        network: String,
        /// Images.
        expected: usize,
        /// Labels given.
        found: usize,
    },
    /// A share of a target that is none.
    #[error("{network}: {what} is a share from 0 to 1, not {found}")]
    Share {
        /// The network.
        network: String,
        /// What it is the share of.
        what: &'static str,
        /// The number given.
        found: f64,
    },
    /// Not a word for each tensor on whether it is frozen.
    #[error("{network}: {found} tensors are said to be frozen or not, it has {expected}")]
    Frozen {
        /// The network.
        network: String,
        /// Tensors of the network.
        expected: usize,
        /// Words given.
        found: usize,
    },
    /// Batch normalisation over a single value.
    #[error("{path}: batch normalisation cannot train on a single value per channel ({shape}, batch of 1)")]
    SingleValue {
        /// The node.
        path: String,
        /// Channels, height and width.
        shape: String,
    },
    /// A batch that memory does not hold.
    #[error("a batch of {batch} images takes {bytes} bytes, more than there are")]
    Memory {
        /// Images.
        batch: usize,
        /// What the plan's stores would take.
        bytes: usize,
    },
    /// A pool that is too large.
    #[error("{path}: a planned step takes max pools of at most 256 taps, not of {taps}; candle's engine takes it")]
    Pool {
        /// The node.
        path: String,
        /// Taps of its window.
        taps: usize,
    },
    /// An output to take the loss of that is no vector.
    #[error("{network}: output {output} is {shape}, not a vector of scores")]
    Output {
        /// The network.
        network: String,
        /// The output.
        output: String,
        /// Its shape.
        shape: Shape,
    },
    /// Parameters of another network.
    #[error("{network}: tensor {name} has {expected} numbers, found {found}")]
    Parameter {
        /// The network.
        network: String,
        /// The tensor.
        name: String,
        /// Numbers it must have.
        expected: usize,
        /// Numbers given.
        found: usize,
    },
}
