//! What can go wrong when a network is planned or run.

use cnn_kernels::InstructionSet;
use cnn_network::Shape;
use cnn_system::Bytes;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The instructions of this process, for whoever would panic without them later.
///
/// # Errors
///
/// [`Error::Instructions`] where `CNN_INSTRUCTION_SET` asks for some that are unknown or that the CPU lacks.
pub fn instructions() -> Result<InstructionSet> {
    InstructionSet::try_chosen().map_err(|why| Error::Instructions { why })
}

/// What can go wrong when a network is planned or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A node that is not in the network.
    #[error(transparent)]
    Network(#[from] cnn_network::Error),
    /// A plan of no value.
    #[error("{network}: no node is asked for; a plan computes the value of at least one")]
    NoTargets {
        /// The network.
        network: String,
    },
    /// Weights that are not the network's.
    #[error(transparent)]
    Weights(#[from] cnn_weights::Error),
    /// Numbers that are not a whole number of images.
    #[error("{network}: {found} numbers are not whole images of {expected}, {} numbers each", expected.elements())]
    BatchLength {
        /// The network.
        network: String,
        /// The input the network expects.
        expected: Shape,
        /// Numbers given.
        found: usize,
    },
    /// A label that is not one of the classes.
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
    #[error("{network}: {found} labels for {expected} images")]
    Labels {
        /// The network.
        network: String,
        /// Images.
        expected: usize,
        /// Labels given.
        found: usize,
    },
    /// A share of a target that is not between 0 and 1.
    #[error("{network}: {what} is a share from 0 to 1, not {found}")]
    Share {
        /// The network.
        network: String,
        /// What it is the share of.
        what: &'static str,
        /// The number given.
        found: f64,
    },
    /// A list of frozen tensors that is not of all tensors.
    #[error("{network}: the list of frozen tensors has {found} entries, the network {expected} tensors")]
    Frozen {
        /// The network.
        network: String,
        /// Tensors of the network.
        expected: usize,
        /// Entries given.
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
    #[error("a batch of {batch} images takes {}, more than there is: a smaller batch takes less", Bytes::of(*bytes))]
    Memory {
        /// Images.
        batch: usize,
        /// What the plan's stores would take.
        bytes: usize,
    },
    /// Packed weights that memory does not hold.
    #[error("{network}: its packed weights do not fit: {shortage}")]
    PackedWeights {
        /// The network.
        network: String,
        /// How much is needed, and how much is there.
        shortage: cnn_system::memory::Shortage,
    },
    /// A pool that is too large.
    #[error("{path}: a planned step takes max pools of at most 256 taps, not of {taps}; candle's engine takes it")]
    Pool {
        /// The node.
        path: String,
        /// Taps of its window.
        taps: usize,
    },
    /// A cross-entropy of an output that is not a vector of scores.
    #[error("{network}: output {output} is {shape}, not a vector of scores; give the gradients of its numbers instead")]
    Output {
        /// The network.
        network: String,
        /// The output.
        output: String,
        /// Its shape.
        shape: Shape,
    },
    /// A cross-entropy of an output that is probabilities already.
    #[error("{network}: output {output} is a softmax, and a cross-entropy takes one of its own; leave it out to train")]
    Probabilities {
        /// The network.
        network: String,
        /// The output.
        output: String,
    },
    /// Probabilities of an output that is not a vector of scores.
    #[error("{network}: output {output} is {shape}, not a vector of scores, and has no probabilities of classes")]
    NoScores {
        /// The network.
        network: String,
        /// The output.
        output: String,
        /// Its shape.
        shape: Shape,
    },
    /// Parameters of another network.
    #[error("{network}: the parameters are another network's: {found} numbers where tensor {name} has {expected}")]
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
    /// Gradients that are not those of the outputs.
    #[error("{network}: output {output} has {expected} numbers in this batch, its gradient {found}")]
    Gradient {
        /// The network.
        network: String,
        /// The output.
        output: String,
        /// Numbers it has.
        expected: usize,
        /// Numbers given.
        found: usize,
    },
    /// Gradients for more outputs than there are.
    #[error("{network}: gradients of {found} outputs, there are {expected}")]
    Gradients {
        /// The network.
        network: String,
        /// Outputs of the plan.
        expected: usize,
        /// Gradients given.
        found: usize,
    },
    /// A step that the kernels do not take.
    #[error("{path}: no plan for this operation: {why}")]
    Refused {
        /// The node.
        path: String,
        /// Why.
        why: String,
    },
    /// An environment variable that asks for instructions which are unknown, or which the CPU lacks.
    #[error("{why}")]
    Instructions {
        /// The variable, and what is wrong with it.
        why: String,
    },
    /// A way of computing that the CPU has no instructions for.
    #[error("{numeric}: {why}")]
    Numeric {
        /// The way of computing.
        numeric: &'static str,
        /// What is lacking.
        why: String,
    },
    /// Scales of 8-bit numbers that are lacking, or not this network's or these weights'.
    #[error("{network} in int8: {why}")]
    Calibration {
        /// The network.
        network: String,
        /// What is wrong.
        why: String,
    },
    /// A file of scales of 8-bit numbers that cannot be read or written.
    #[error("{}: {why}", path.display())]
    CalibrationFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        why: String,
    },
    /// A file of a plan that is not to be used.
    #[error("{}: {why}", path.display())]
    PlanFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        why: String,
    },
    /// A gradient of an output of another pass.
    #[error(
        "{network}: a gradient of {} for output {output}, which is of {} here: one backward pass takes the gradients of \
         its own forward pass", of_output(*found), of_output(*expected)
    )]
    OtherGradient {
        /// The network's name.
        network: String,
        /// The output's path.
        output: String,
        /// Images, channels, and height and width of the pass.
        expected: (usize, usize, [usize; 2]),
        /// Those of the gradient.
        found: (usize, usize, [usize; 2]),
    },
    /// Sums over all shards that are not one for each number.
    #[error("{found} sums over all shards, expected {expected}: what shares them adds vectors of one length")]
    Sums {
        /// Numbers of a shard.
        expected: usize,
        /// Sums given.
        found: usize,
    },
    /// Runs or gradients that are not one for each shard.
    #[error("{found} {what} for {expected} shards of a batch, where each has its own, in the shards' order")]
    Shards {
        /// `runs` or `gradients`.
        what: &'static str,
        /// Shards given, of gradients those that have images.
        expected: usize,
        /// Runs or gradients given.
        found: usize,
    },
    /// A run of another plan than the first shard's.
    #[error("{network}: the run of shard {shard} is by another plan than that of shard 0")]
    ShardPlan {
        /// The first shard's network.
        network: String,
        /// The shard.
        shard: usize,
    },
    /// More images than a workspace holds.
    #[error("{network}: {found} images, the workspace holds {expected}; ask the plan for a larger one")]
    Capacity {
        /// The network.
        network: String,
        /// Images it holds.
        expected: usize,
        /// Images given.
        found: usize,
    },
    /// Room for more or fewer outputs than there are.
    #[error("{network}: room for {found} outputs, there are {expected}")]
    Outputs {
        /// The network.
        network: String,
        /// Outputs of the plan.
        expected: usize,
        /// Slices given.
        found: usize,
    },
    /// Room for more or fewer numbers than an output has.
    #[error("{node}: room for {found} numbers, the output has {expected} in this batch")]
    OutputLength {
        /// The node.
        node: String,
        /// Numbers it has.
        expected: usize,
        /// Numbers there is room for.
        found: usize,
    },
}

/// Images, channels, height and width, in words.
fn of_output((batch, channels, [height, width]): (usize, usize, [usize; 2])) -> String {
    format!("{batch}×{channels}×{height}×{width}")
}
