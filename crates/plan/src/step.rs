//! The steps of a plan.

use crate::value::Value;
use cnn_core::op::{AvgPool, Lrn};
use cnn_core::shape::{Pair, Window};
use cnn_kernels::Conv;

/// One step: what it does, with what, and what comes of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// The node it was made from.
    pub(crate) path: String,
    pub(crate) work: Work,
    pub(crate) inputs: Vec<Value>,
    pub(crate) output: Value,
}

/// What a step does. Numbers called parameters are positions in [`Network::tensors`](cnn_core::Network::tensors).
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Work {
    /// Fills the output's store.
    Fill(Fill),
    /// Prepares the output's map; fills no store.
    Map(MapWork),
}

/// Work that fills a store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fill {
    /// The batch, from rows of pixels.
    Input,
    Conv {
        conv: Conv,
        weight: usize,
        bias: Option<usize>,
        table: Option<Vec<Vec<usize>>>,
    },
    Linear {
        weight: usize,
        bias: Option<usize>,
    },
    /// `winners` is the position of the pool's memory.
    MaxPool {
        window: Window,
        winners: usize,
    },
    AvgPool(AvgPool),
    AdaptiveAvgPool(Pair),
    /// The sum of all inputs; of one, a copy.
    Sum,
    /// All inputs one behind the other.
    Concat,
    /// Zeros before the input's channels, and after.
    ZeroChannels {
        before: usize,
    },
    /// Maps as one vector, channel by channel.
    Flatten,
    /// `mask` is the position of the mask's memory.
    Dropout {
        rate: f64,
        mask: usize,
    },
    Sigmoid,
    Tanh {
        amplitude: f64,
        slope: f64,
    },
    Softmax,
    Lrn(Lrn),
    RadialBasis {
        centres: Vec<Vec<f64>>,
    },
}

/// Work on a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MapWork {
    /// Batch normalisation: weight, bias, running mean and variance are four parameters from `parameter` on. The tally
    /// is there where weight or bias are trained.
    Norm { eps: f64, statistics: Statistics, parameter: usize, tally: Option<usize> },
    /// A floor of 0.
    Floor,
    /// The inputs' maps one behind the other.
    Join,
    /// A scale and shift: two parameters from `parameter` on. The tally is there where one of them is trained.
    ChannelAffine { parameter: usize, tally: Option<usize> },
    /// A constant scale and shift.
    Constant { scale: Vec<f64>, shift: Vec<f64> },
}

/// The mean and variance a batch normalisation goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistics {
    /// Those of the batch, towards which the running ones move by this share.
    Batch { momentum: f64 },
    /// The running ones, which stay: in evaluation, and where the layer is frozen.
    Running,
}

impl Work {
    /// What it does, in a word or two.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Fill(fill) => match fill {
                Fill::Input => "input",
                Fill::Conv { .. } => "convolution",
                Fill::Linear { .. } => "linear",
                Fill::MaxPool { .. } => "max pool",
                Fill::AvgPool(_) | Fill::AdaptiveAvgPool(_) => "average pool",
                Fill::Sum => "sum",
                Fill::Concat => "concatenation",
                Fill::ZeroChannels { .. } => "zero channels",
                Fill::Flatten => "flatten",
                Fill::Dropout { .. } => "dropout",
                Fill::Sigmoid => "sigmoid",
                Fill::Tanh { .. } => "tanh",
                Fill::Softmax => "softmax",
                Fill::Lrn(_) => "local response",
                Fill::RadialBasis { .. } => "radial basis",
            },
            Self::Map(work) => match work {
                MapWork::Norm { .. } => "batch norm",
                MapWork::Floor => "relu",
                MapWork::Join => "side by side",
                MapWork::ChannelAffine { .. } | MapWork::Constant { .. } => "affine",
            },
        }
    }
}

impl Step {
    /// Whether its backward pass reads the stored numbers of its inputs, beyond what passing a map needs; `trained`
    /// tells of each tensor whether it gets a gradient.
    pub(crate) fn reads_inputs_back(&self, trained: &[bool]) -> bool {
        match &self.work {
            Work::Fill(fill) => match fill {
                Fill::Conv { weight, .. } | Fill::Linear { weight, .. } => trained[*weight],
                Fill::Lrn(_) | Fill::RadialBasis { .. } => true,
                Fill::Input
                | Fill::MaxPool { .. }
                | Fill::AvgPool(_)
                | Fill::AdaptiveAvgPool(_)
                | Fill::Sum
                | Fill::Concat
                | Fill::ZeroChannels { .. }
                | Fill::Flatten
                | Fill::Dropout { .. }
                | Fill::Sigmoid
                | Fill::Tanh { .. }
                | Fill::Softmax => false,
            },
            Work::Map(_) => false,
        }
    }

    /// Whether its backward pass reads the stored numbers of its output.
    pub(crate) fn reads_output_back(&self) -> bool {
        matches!(&self.work, Work::Fill(Fill::Sigmoid | Fill::Tanh { .. } | Fill::Softmax))
    }
}
