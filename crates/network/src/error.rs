//! What can go wrong, always with the path of the node and both shapes.

use crate::shape::{Pair, Shape, times};
use cnn_figures::plural;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate: one sentence with the place and what was expected and found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input with a dimension of 0.
    #[error("{network}: input {} has a dimension of 0", times(.input))]
    EmptyInput {
        /// The network.
        network: String,
        /// `[C, H, W]` as given.
        input: [usize; 3],
    },
    /// A window larger than what it slides over.
    #[error("{path}: kernel {kernel} exceeds padded input {padded}{}", of_input(.input))]
    Window {
        /// The node.
        path: String,
        /// Extent of the window, dilation included.
        kernel: Pair,
        /// Size of the map with its padding.
        padded: Pair,
        /// Size of the map.
        input: Pair,
    },
    /// A number no operation of this kind can have.
    #[error("{path}: {problem}")]
    Invalid {
        /// The node.
        path: String,
        /// The rule that is broken, with its numbers.
        problem: String,
    },
    /// An operation on maps that got a vector, or the other way round.
    #[error("{path}: {op} needs {expected}, but its input is {found}")]
    Rank {
        /// The node.
        path: String,
        /// The operation.
        op: &'static str,
        /// `feature maps` or `a vector`.
        expected: &'static str,
        /// Shape of the input.
        found: Shape,
    },
    /// Branches that cannot be joined.
    #[error("{path}: {op} joins {left} with {right}")]
    Join {
        /// The node.
        path: String,
        /// The operation.
        op: &'static str,
        /// Shape of the first branch.
        left: Shape,
        /// Shape of the branch that does not fit it.
        right: Shape,
    },
    /// A path that two nodes would have.
    #[error("{path}: two nodes of {network} have this path")]
    DuplicatePath {
        /// The network.
        network: String,
        /// The path.
        path: String,
    },
    /// A node that is asked for and is not there.
    #[error("{network} has no node {path}{}", did_you_mean(.near))]
    UnknownNode {
        /// The network.
        network: String,
        /// The path asked for.
        path: String,
        /// Paths that look like it.
        near: Vec<String>,
    },
    /// A node's position that is another network's.
    #[error("{network} has {nodes} nodes and none at position {position}, which is another network's")]
    OtherNode {
        /// The network.
        network: String,
        /// The position.
        position: usize,
        /// How many nodes there are.
        nodes: usize,
    },
    /// Weights that lack a tensor of the network.
    #[error("{network}: the weights have no tensor {name} (expected {}){}", times(.expected), they_have(.near))]
    MissingTensor {
        /// The network.
        network: String,
        /// The tensor.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// Names like it that the weights have and the network lacks.
        near: Vec<String>,
    },
    /// Weights whose tensor has another shape.
    #[error("{network}: tensor {name} should be {}, but the weights have {}", times(.expected), times(.found))]
    TensorShape {
        /// The network.
        network: String,
        /// The tensor.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// Weights with tensors that the network lacks.
    #[error(
        "{network}: the weights have {}, {first}{}; are they another network's?",
        plural(*count, "tensor that it lacks", "tensors that it lacks"),
        if *count == 1 { "" } else { " the first" }
    )]
    SurplusTensors {
        /// The network.
        network: String,
        /// How many.
        count: usize,
        /// The first by name.
        first: String,
    },
    /// A batch that does not fit the network.
    #[error("{network} takes batches of {expected}, not {}", times(.found))]
    BatchShape {
        /// The network.
        network: String,
        /// Shape of one sample.
        expected: Shape,
        /// Dimensions of the batch.
        found: Vec<usize>,
    },
    /// Numbers that are no whole samples.
    #[error("{network}: {numbers} numbers are no whole samples of {sample} each")]
    BatchLength {
        /// The network.
        network: String,
        /// Numbers of the batch.
        numbers: usize,
        /// Numbers of a sample.
        sample: usize,
    },
}

fn they_have(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; they have {}", near.join(", ")) }
}

fn of_input(input: &Pair) -> String {
    format!(" (input {input})")
}

/// `; did you mean a, b?` or nothing.
pub fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

/// The longest name that is compared with another, in bytes: how long it takes grows with both lengths.
const LONGEST_COMPARED: usize = 1000;

/// The up to three of `known` most like `asked`, best first, none that is not like it at all or has more than a thousand
/// bytes. Upper and lower case make no difference.
pub fn near_names<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let asked = asked.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .filter(|name| name.len().max(asked.len()) <= LONGEST_COMPARED)
        .map(|name| (strsim::jaro_winkler(&asked, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, name)| name.to_string()).collect()
}
