//! What can go wrong between a file of weights and an answer.

use cnn_figures::plural;
use std::path::PathBuf;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a file of weights and an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A picture, or a card that cannot be read.
    #[error(transparent)]
    Data(#[from] cnn_data::Error),
    /// Published weights that cannot be had.
    #[error(transparent)]
    Catalogue(#[from] cnn_catalogue::Error),
    /// Weights that cannot be read.
    #[error(transparent)]
    Weights(#[from] cnn_core::weights::Error),
    /// Weights that are not the network's.
    #[error(transparent)]
    Plan(#[from] cnn_core::plan::Error),
    /// An input that the network cannot take.
    #[error(transparent)]
    Network(#[from] cnn_core::Error),
    /// A network that is not in the zoo.
    #[error("{weights}: {unknown}")]
    Unknown {
        /// Where the weights are from.
        weights: String,
        /// The name, and those most like it.
        unknown: cnn_zoo::UnknownNetwork,
    },
    /// Neither the weights nor the caller say which network it is.
    #[error("{weights}: nothing says of which network these weights are; name it")]
    NoNetwork {
        /// Where the weights are from.
        weights: String,
    },
    /// Neither the weights nor the caller say how an image becomes an input.
    #[error("{weights}: nothing says how a picture is prepared for these weights; give mean, deviation and size")]
    NoPreparation {
        /// Where the weights are from.
        weights: String,
    },
    /// Names of classes that are not as many as the network's outputs.
    #[error(
        "{weights}: {} given, but {network} has {} with these weights",
        plural(*names, "name of a class is", "names of classes are"),
        plural(*outputs, "output", "outputs")
    )]
    ClassNames {
        /// Where the weights are from.
        weights: String,
        /// The network.
        network: String,
        /// Names given.
        names: usize,
        /// Outputs of the network.
        outputs: usize,
    },
    /// A folder that holds no run.
    #[error("{}: no run's folder, since best.safetensors is not in it", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// Neither weights of that name nor a file.
    #[error("{name}: no file, no run's folder and no weights of that name{near}")]
    NoWeights {
        /// What was asked for.
        name: String,
        /// What it may have meant.
        near: String,
    },
    /// Numbers that overflow on their way through the network.
    #[error(
        "{network} gives no finite answer for this picture: is it prepared as those the weights were trained on were?"
    )]
    NoAnswer {
        /// The network.
        network: String,
    },
    /// A name that leads to no picture.
    #[error("{name}: {problem}")]
    NoPicture {
        /// A path or a pattern.
        name: String,
        /// Why there is none.
        problem: String,
    },
    /// A prepared picture of another size than the network reads.
    #[error("the picture becomes {found}, but {network} reads {expected}")]
    Size {
        /// The network.
        network: String,
        /// What it reads.
        expected: String,
        /// What the picture was prepared to.
        found: String,
    },
    /// Something of weights that does not name them itself.
    #[error("{weights}: {source}")]
    OfWeights {
        /// Where the weights are from.
        weights: String,
        /// What is wrong.
        source: Box<Error>,
    },
    /// Something of a picture's file.
    #[error("{}: {source}", path.display())]
    Picture {
        /// The picture.
        path: PathBuf,
        /// What is wrong.
        source: Box<Error>,
    },
}
