//! One operation on the kernels: what fills a store of a plan, and what anyone may run alone.
//!
//! The passes over a whole network and candle's custom operations in `cnn-core` both compute by what stands here, so
//! there is one way from an operation of the definition to a kernel, and one formula for each gradient.

mod backward;
mod connections;
mod forward;
pub mod norm;
mod of_op;
mod radial_basis;

pub use backward::backward_bias;
pub(crate) use connections::dense;

use cnn_kernels::activation::Activation;
use cnn_kernels::pool::{Average, Max};
use cnn_kernels::{Algorithm, Conv, Linear, Lrn, View};

/// An operation that reads feature maps and writes feature maps. Its shapes are known: windows are for one input size.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// The images themselves; the caller copies them in.
    Input,
    /// Convolution; with a connection table only some inputs reach an output (LeCun et al. 1998, table 1), and the
    /// weights are those of the connections.
    Conv {
        /// The convolution with dense weights.
        conv: Conv,
        /// For each output the inputs it sees.
        table: Option<Vec<Vec<usize>>>,
        /// How it is computed.
        algorithm: Algorithm,
    },
    /// A linear map of vectors.
    Linear(Linear),
    /// Maximum under a window.
    MaxPool(Max),
    /// Mean under windows.
    AveragePool(Average),
    /// The sum of all inputs; of one, a copy.
    Sum,
    /// The concatenation of all inputs along the channels.
    Concat,
    /// Zeros before the input's channels, and after them as many as the output has more.
    ZeroChannels {
        /// Zeros before.
        before: usize,
    },
    /// Maps as one vector, channel by channel.
    Flatten,
    /// The product with a mask.
    Dropout {
        /// Share of zeros in the mask.
        rate: f64,
    },
    /// Sigmoid, tanh, softmax.
    Activation(Activation),
    /// Local response normalisation.
    LocalResponse(Lrn),
    /// Minus the squared distance to each centre.
    RadialBasis {
        /// The centres.
        centres: Vec<Vec<f64>>,
    },
}

/// What an operation remembers from its forward pass for its backward pass.
#[derive(Clone, Debug, Default)]
pub struct Remembered<T> {
    /// Of a max pool, the tap of each maximum.
    pub winners: Vec<u8>,
    /// Of dropout, the factors in blocks of channels: given before the forward pass.
    pub mask: Vec<T>,
}

/// What an operation computes with.
pub struct Arguments<'a, T> {
    /// The values it reads.
    pub inputs: &'a [View<'a, T>],
    /// The weights of a convolution or a linear layer, as the network's tensor has them.
    pub weights: &'a [T],
    /// What it remembers.
    pub remembered: &'a mut Remembered<T>,
}

/// What the backward pass of an operation reads.
pub struct BackArguments<'a, T> {
    /// The gradient of the output.
    pub gradient: View<'a, T>,
    /// The weights, as in [`Arguments`].
    pub weights: &'a [T],
    /// What the forward pass remembered.
    pub remembered: &'a Remembered<T>,
    /// The inputs' values; only those that [`Operation::reads_inputs_back`] asks for are read.
    pub inputs: &'a [Option<View<'a, T>>],
    /// Channels of each input.
    pub channels: &'a [usize],
    /// The output's values, where [`Operation::reads_output_back`] asks for them.
    pub output: Option<View<'a, T>>,
}

impl Operation {
    /// What it is called in tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Conv { .. } => "convolution",
            Self::Linear(_) => "linear",
            Self::MaxPool(_) => "max pool",
            Self::AveragePool(_) => "average pool",
            Self::Sum => "sum",
            Self::Concat => "concatenation",
            Self::ZeroChannels { .. } => "zero channels",
            Self::Flatten => "flatten",
            Self::Dropout { .. } => "dropout",
            Self::Activation(Activation::Sigmoid) => "sigmoid",
            Self::Activation(Activation::Tanh { .. }) => "tanh",
            Self::Activation(Activation::Softmax) => "softmax",
            Self::LocalResponse(_) => "local response",
            Self::RadialBasis { .. } => "radial basis",
        }
    }

    /// Whether the gradients of its inputs, or of weights that are `trained`, read the inputs' values.
    pub fn reads_inputs_back(&self, trained: bool) -> bool {
        match self {
            Self::Conv { .. } | Self::Linear(_) => trained,
            Self::LocalResponse(_) | Self::RadialBasis { .. } => true,
            Self::Input
            | Self::MaxPool(_)
            | Self::AveragePool(_)
            | Self::Sum
            | Self::Concat
            | Self::ZeroChannels { .. }
            | Self::Flatten
            | Self::Dropout { .. }
            | Self::Activation(_) => false,
        }
    }

    /// Whether the gradients of its inputs read its output.
    pub fn reads_output_back(&self) -> bool {
        matches!(self, Self::Activation(_))
    }

    /// Whether it remembers something from its forward pass.
    pub fn remembers(&self) -> bool {
        matches!(self, Self::MaxPool(_) | Self::Dropout { .. })
    }
}
