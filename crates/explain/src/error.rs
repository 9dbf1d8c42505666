//! What can go wrong when a network is explained.

use cnn_figures::plural;
use cnn_network::Shape;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong when a network is explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A node that is not in the network.
    #[error(transparent)]
    Network(#[from] cnn_network::Error),
    /// Weights that are not the network's.
    #[error(transparent)]
    Weights(#[from] cnn_weights::Error),
    /// A network that cannot be run.
    #[error(transparent)]
    Plan(#[from] cnn_plan::Error),
    /// A thread that the system refused.
    #[error("no thread for the embedding: {why}")]
    Thread {
        /// What the system said.
        why: String,
    },
    /// A class that the network does not have.
    #[error("{network}: there is no class {class}, it has {classes}, counted from 0")]
    Class {
        /// The network.
        network: String,
        /// The class asked for.
        class: usize,
        /// How many there are.
        classes: usize,
    },
    /// Classes that are not one for each image.
    #[error(
        "{network}: {} for {}; one for each is needed",
        plural(*found, "class", "classes"),
        plural(*expected, "image", "images")
    )]
    Classes {
        /// The network.
        network: String,
        /// Images.
        expected: usize,
        /// Classes given.
        found: usize,
    },
    /// An output that is not a vector of scores.
    #[error("{network}: its output is {shape}, not a vector of scores of classes")]
    NoScores {
        /// The network.
        network: String,
        /// The output's shape.
        shape: Shape,
    },
    /// Numbers that overflow on their way through the network.
    #[error(
        "{network} gives no finite answer for this picture: is it prepared as those the weights were trained on were?"
    )]
    NoAnswer {
        /// The network.
        network: String,
    },
    /// A network without maps, or a node that is none.
    #[error("{network}: {node} is {shape}, not maps; name a node of maps with more than one place")]
    NoMaps {
        /// The network.
        network: String,
        /// The node.
        node: String,
        /// Its shape.
        shape: Shape,
    },
    /// A place or a channel that a node does not have.
    #[error("{network}: {node} is {shape}, there is no channel {channel}, row {row}, column {column}")]
    Place {
        /// The network.
        network: String,
        /// The node.
        node: String,
        /// Its shape.
        shape: Shape,
        /// The channel asked for.
        channel: usize,
        /// The row asked for.
        row: usize,
        /// The column asked for.
        column: usize,
    },
    /// A size or a number of samples that makes no sense.
    #[error("{what} must be {expected}, not {found}")]
    Setting {
        /// What it sets.
        what: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// Numbers that are not whole images of the network's input.
    #[error("{network}: {} not one image of {expected}", plural(*found, "number is", "numbers are"))]
    Image {
        /// The network.
        network: String,
        /// The input the network expects.
        expected: Shape,
        /// Numbers given.
        found: usize,
    },
    /// Rows of features of different lengths, or too few.
    #[error(
        "features of {}, {} in the first: at least two rows of one length are needed",
        plural(*rows, "image", "images"),
        plural(*length, "number", "numbers")
    )]
    Rows {
        /// Rows given.
        rows: usize,
        /// Numbers of the first.
        length: usize,
    },
    /// A picture that cannot be packed.
    #[error("a picture could not be packed: {0}")]
    Png(#[from] png::EncodingError),
    /// A picture that cannot be packed with a loss.
    #[error("pictures of a data set could not be packed: {0}")]
    Jpeg(String),
    /// Bytes that cannot be packed.
    #[error("bytes of the page could not be packed: {0}")]
    Packing(std::io::Error),
    /// Data of a page that cannot be packed.
    #[error("the data of the page could not be packed: {0}")]
    Json(#[from] serde_json::Error),
}
