//! What can be wrong with an export.

use cnn_figures::plural;
use cnn_system::Bytes;
use cnn_system::memory::Shortage;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with an export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Weights that are not the network's, cannot be read or hold infinity or NaN.
    #[error(transparent)]
    Weights(#[from] cnn_weights::Error),
    /// Class names that are not as many as the network's scores.
    #[error(
        "{network} gives {}, but {} given",
        plural(*scores, "score", "scores"),
        plural(*classes, "class name is", "class names are")
    )]
    Classes {
        /// The network.
        network: String,
        /// Numbers it gives for an image.
        scores: usize,
        /// Names given.
        classes: usize,
    },
    /// Means and deviations that do not fit the network's input.
    #[error(
        "{network} reads {}, but {} and {} are given",
        plural(*channels, "channel", "channels"),
        plural(*means, "mean", "means"),
        plural(*deviations, "deviation", "deviations")
    )]
    Statistics {
        /// The network.
        network: String,
        /// Channels of its input.
        channels: usize,
        /// Means given.
        means: usize,
        /// Deviations given.
        deviations: usize,
    },
    /// A deviation to divide by that is not a positive number, or a mean that is none.
    #[error("an input is not normalised by the mean {mean} and the deviation {deviation}")]
    Statistic {
        /// The mean of a channel.
        mean: f32,
        /// Its deviation.
        deviation: f32,
    },
    /// A layer whose numbers become too large for f32 when the normalisation behind it is folded into it.
    #[error(
        "{layer}: with {norm} folded into it, tensor {name} holds {found}, which is no weight; export without folding"
    )]
    Folded {
        /// Path of the layer.
        layer: String,
        /// Path of the normalisation.
        norm: String,
        /// The layer's tensor.
        name: String,
        /// The number.
        found: f32,
    },
    /// More than a file can hold.
    #[error(
        "{network} would be an ONNX file of {bytes}, but 2.15 GB are the most; as safetensors it can be of any size"
    )]
    TooLarge {
        /// The network.
        network: String,
        /// Bytes needed.
        bytes: Bytes,
    },
    /// More memory than there is.
    #[error("{network} as an ONNX file: {shortage}")]
    Memory {
        /// The network.
        network: String,
        /// What is needed and what there is.
        shortage: Shortage,
    },
}
