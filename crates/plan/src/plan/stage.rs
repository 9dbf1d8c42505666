//! The stages of a plan, in the order in which they run.

use super::value::Value;
use crate::operation::Operation;

/// One stage: what it does, with what, and what comes of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    /// The node it was made from.
    pub(crate) path: String,
    pub(crate) work: Work,
    pub(crate) inputs: Vec<Value>,
    pub(crate) output: Value,
}

/// What a stage does. Numbers called parameters are positions in [`Network::tensors`](cnn_network::Network::tensors).
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Work {
    /// Fills the output's store.
    Fill(Fill),
    /// Prepares the output's map; fills no store.
    Map(MapWork),
}

/// Work that fills a store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fill {
    pub(crate) operation: Operation,
    /// The parameter that is its weights, if it has some.
    pub(crate) weight: Option<usize>,
    /// The parameter that is its bias, if it has one.
    pub(crate) bias: Option<usize>,
    /// Position among the plan's memories of what it remembers, if it does.
    pub(crate) memory: Option<usize>,
}

impl From<Operation> for Fill {
    /// An operation with no parameters that remembers nothing.
    fn from(operation: Operation) -> Self {
        Self { operation, weight: None, bias: None, memory: None }
    }
}

/// Work on a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MapWork {
    /// Batch normalisation: weight, bias, running mean and variance are four parameters from `parameter` on. The tally
    /// is there where weight or bias are trained.
    Norm { eps: f64, statistics: Statistics, parameter: usize, tally: Option<usize> },
    /// A floor of 0.
    Floor,
    /// The inputs' maps, concatenated along the channels.
    Join,
    /// A scale and shift: two parameters from `parameter` on. The tally is there where one of them is trained.
    ChannelAffine { parameter: usize, tally: Option<usize> },
    /// A constant scale and shift.
    Constant { scale: Vec<f64>, shift: Vec<f64> },
}

/// The mean and variance a batch normalisation uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistics {
    /// Those of the batch, towards which the running ones move by this share.
    Batch { momentum: f64 },
    /// The running ones, which stay: in evaluation, and where the layer is frozen.
    Running,
}

impl Work {
    /// What it does, for tables.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Fill(fill) => fill.operation.name(),
            Self::Map(MapWork::Norm { .. }) => "batch norm",
            Self::Map(MapWork::Floor) => "relu",
            Self::Map(MapWork::Join) => "side by side",
            Self::Map(MapWork::ChannelAffine { .. } | MapWork::Constant { .. }) => "affine",
        }
    }
}

impl Stage {
    /// What it does, for tables; of a convolution also how it is computed over so many images: forward, for the gradient of
    /// its input, for that of its weights.
    pub(crate) fn described(&self, images: usize) -> String {
        let name = self.work.name();
        let methods = match (self.operation(), self.inputs.first()) {
            (Some(Operation::Conv { conv, algorithm, .. }), Some(input)) => {
                conv.methods(*algorithm, images, input.size)
            }
            _ => None,
        };
        match methods {
            Some([one, two, three]) if one == two && two == three => format!("{name}, {one}"),
            Some(methods) => format!("{name}, {}", methods.join(" / ")),
            None => name.to_string(),
        }
    }

    /// What fills its output's store, if something does, and the output.
    pub(crate) fn as_fill(&self) -> Option<(&Fill, &Value)> {
        match &self.work {
            Work::Fill(fill) => Some((fill, &self.output)),
            Work::Map(_) => None,
        }
    }

    /// The operation that fills its output's store, if one does.
    pub(crate) fn operation(&self) -> Option<&Operation> {
        self.as_fill().map(|(fill, _)| &fill.operation)
    }

    /// Whether its backward pass reads the stored numbers of its inputs, beyond what passing a map needs; `trained`
    /// says for each tensor whether it gets a gradient.
    pub(crate) fn reads_inputs_back(&self, trained: &[bool]) -> bool {
        match &self.work {
            Work::Fill(fill) => fill.operation.reads_inputs_back(fill.weight.is_some_and(|weight| trained[weight])),
            Work::Map(_) => false,
        }
    }

    /// Whether its backward pass reads the stored numbers of its output.
    pub(crate) fn reads_output_back(&self) -> bool {
        self.operation().is_some_and(Operation::reads_output_back)
    }
}
