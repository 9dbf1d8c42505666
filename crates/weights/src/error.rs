//! What can be wrong with weights.

use cnn_network::shape::times;
use std::path::PathBuf;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of something else.
    #[error("{} is no file of weights; it looks like {found}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What its first bytes are of.
        found: &'static str,
    },
    /// A file that is no whole safetensors file.
    #[error("{} is not a whole safetensors file: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A PyTorch file that cannot be read, or not safely.
    #[error("cannot read {} as a PyTorch file: {problem}", path.display())]
    Pytorch {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A PyTorch file for a program that was built without what reads them.
    #[error(
        "{} is a PyTorch file, which this program was built without a reader for (cnn-weights' feature `pytorch`); save the \
         weights as safetensors",
        path.display()
    )]
    PytorchFeature {
        /// The file.
        path: PathBuf,
    },
    /// A key was asked for in a file of another format.
    #[error("{} keeps no weights under a key such as {entry}: only files of PyTorch do", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The key.
        entry: String,
    },
    /// Weights too large to be made into a file in memory.
    #[error("{weights}: as a file in memory: {shortage}")]
    Memory {
        /// Where the weights are from.
        weights: String,
        /// What is needed and what there is.
        shortage: cnn_system::memory::Shortage,
    },
    /// Weights that no safetensors file can hold.
    #[error("{weights} cannot be written as safetensors: {problem}")]
    Unwritable {
        /// Where the weights are from.
        weights: String,
        /// Why not.
        problem: String,
    },
    /// Numbers whose count is not that of the dimensions.
    #[error("tensor {name} of {} has {} numbers, found {found}", times(dims), dims.iter().product::<usize>())]
    Count {
        /// The tensor.
        name: String,
        /// Its dimensions.
        dims: Vec<usize>,
        /// Numbers given.
        found: usize,
    },
    /// A tensor of something else than floating-point numbers.
    #[error("{weights}: tensor {name} is of {found}, not of floating-point numbers")]
    NumberType {
        /// Where the weights are from.
        weights: String,
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor with a number that is not finite.
    #[error("{weights}: tensor {name} holds {found} at position {position}, which is no weight")]
    NotFinite {
        /// Where the weights are from.
        weights: String,
        /// The tensor.
        name: String,
        /// The first such number.
        found: f64,
        /// Its position, in row-major order.
        position: usize,
    },
    /// A number of 64 bits that 32 cannot hold.
    #[error("{weights}: tensor {name} holds {found:?} at position {position}, which f32 cannot hold")]
    BeyondF32 {
        /// Where the weights are from.
        weights: String,
        /// The tensor.
        name: String,
        /// The first such number.
        found: f64,
        /// Its position, in row-major order.
        position: usize,
    },
    /// A running variance by which nothing can be normalised.
    #[error(
        "{weights}: tensor {name} holds {found} at position {position}; a variance and its ε, here {eps}, are above 0 together"
    )]
    Variance {
        /// Where the weights are from.
        weights: String,
        /// The tensor.
        name: String,
        /// The first such number.
        found: f64,
        /// Its position.
        position: usize,
        /// What is added to it.
        eps: f64,
    },
    /// A number too large to be written with so few bits.
    #[error("{weights}: tensor {name} holds {found}, which {precision} cannot hold")]
    TooLarge {
        /// Where the weights are from.
        weights: String,
        /// The tensor.
        name: String,
        /// The first such number.
        found: f32,
        /// The type it was to be written as.
        precision: String,
    },
    /// Two tensors of a file that would be the same one of the network.
    #[error("{weights}: {first} and {second} would both be the network's {name}; take one of them out")]
    Twice {
        /// Where the weights are from.
        weights: String,
        /// The network's tensor.
        name: String,
        /// One of the file's tensors.
        first: String,
        /// Another.
        second: String,
    },
    /// Tensors that are not the network's: missing, misshapen, too many.
    #[error(transparent)]
    Network(#[from] cnn_network::Error),
    /// Weights that say they are of another network.
    #[error("{weights} has weights of {found}, not of {network}")]
    OtherNetwork {
        /// Where the weights are from.
        weights: String,
        /// The network.
        network: String,
        /// The network they are of.
        found: String,
    },
}
