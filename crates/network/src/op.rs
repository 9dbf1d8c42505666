//! The operations: one enum, matched exhaustively by every reading of a network.
//!
//! An operation knows neither its input's shape nor its place: both come with the node, so a definition and an
//! elaborated network share this one type.

use crate::initialisation::Law;
use crate::shape::{Pair, Window};

/// What a node computes from its inputs' values.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The network's input.
    Input,
    /// Convolution (cross-correlation, as in every deep-learning library).
    Conv(Conv),
    /// `y = W x + b` on a vector.
    Linear(Linear),
    /// Batch normalisation (Ioffe and Szegedy 2015) of every channel.
    BatchNorm(BatchNorm),
    /// Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3).
    Lrn(Lrn),
    /// `max(x, 0)`.
    Relu,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `amplitude · tanh(slope · x)` (LeCun et al. 1998, appendix A).
    Tanh {
        /// Limit for large inputs.
        amplitude: f64,
        /// Factor on the input.
        slope: f64,
    },
    /// `eˣ / Σ eˣ` over channels.
    Softmax,
    /// Maximum under a window; padding counts as −∞.
    MaxPool(Window),
    /// Mean under a window.
    AvgPool(AvgPool),
    /// Mean over `output` windows that divide the input, of any size.
    AdaptiveAvgPool {
        /// Height and width of the output.
        output: Pair,
    },
    /// Feature maps as one vector, channel by channel, row by row.
    Flatten,
    /// In training, zero with probability `rate`, the rest times `1 / (1 − rate)`; nothing in evaluation.
    Dropout {
        /// Probability of zero.
        rate: f64,
    },
    /// Every element times a constant.
    Scale {
        /// The constant.
        factor: f64,
    },
    /// Channels of zeros before and after the input's own (He et al. 2015, option A).
    ZeroChannels {
        /// Channels before.
        before: usize,
        /// Channels after.
        after: usize,
    },
    /// A trained coefficient and bias per channel (LeCun et al. 1998, layers S2 and S4).
    ChannelAffine {
        /// What the coefficients are before training.
        coefficient: f64,
    },
    /// Constant scale and shift per channel of the input (torchvision's `transform_input`); not trained, not saved.
    InputAffine {
        /// Factor of each channel.
        scale: Vec<f64>,
        /// Added to each channel after scaling.
        shift: Vec<f64>,
    },
    /// Euclidean radial basis functions with fixed centres, as scores: `yᵢ = −Σⱼ (xⱼ − cᵢⱼ)²`
    /// (LeCun et al. 1998, equation 7, with the sign of a score).
    RadialBasis {
        /// One centre a class, each as long as the input.
        centres: Vec<Vec<f64>>,
    },
    /// Sum of all inputs.
    Add,
    /// The concatenation of all inputs along the channels.
    Concat,
}

/// Parameters of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Number of output channels; `None` for as many as come in.
    pub out_channels: Option<usize>,
    /// Kernel, stride, padding with zeros, dilation.
    pub window: Window,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// In a definition, for a depthwise convolution: the output channels of each input channel, which is a group by
    /// itself. In a [`Network`](crate::Network) always `None`: elaboration knows the channels and sets `groups` and
    /// `out_channels`.
    pub depthwise: Option<usize>,
    /// Whether a bias is added.
    pub bias: bool,
    /// For each output channel the input channels it sees (LeCun et al. 1998, table I); `None` for all.
    pub connections: Option<Vec<Vec<usize>>>,
    /// Initialisation of the weights where the network's scheme does not apply.
    pub weight_law: Option<Law>,
    /// Initialisation of the bias where the network's scheme does not apply.
    pub bias_law: Option<Law>,
}

/// Parameters of a linear layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Length of the output.
    pub out_features: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// Initialisation of the weights where the network's scheme does not apply.
    pub weight_law: Option<Law>,
    /// Initialisation of the bias where the network's scheme does not apply.
    pub bias_law: Option<Law>,
}

/// Parameters of batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Weight of the new batch in the running statistics.
    pub momentum: f64,
}

/// Parameters of local response normalisation: `y = x / (k + α Σ x²)^β`, the sum over `size` neighbouring channels.
///
/// The paper's α multiplies the plain sum. torch and ONNX divide theirs by `size`: their α is ours times `size`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// Channels in the sum.
    pub size: usize,
    /// Factor of the plain sum.
    pub alpha: f64,
    /// Exponent.
    pub beta: f64,
    /// Constant.
    pub k: f64,
}

/// Parameters of average pooling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AvgPool {
    /// The window.
    pub window: Window,
    /// Whether padding counts in the divisor.
    pub count_padding: bool,
}

impl Op {
    /// The operation's name, also the label of an operation that was given none.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Conv(_) => "conv",
            Self::Linear(_) => "linear",
            Self::BatchNorm(_) => "batch_norm",
            Self::Lrn(_) => "lrn",
            Self::Relu => "relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh { .. } => "tanh",
            Self::Softmax => "softmax",
            Self::MaxPool(_) => "max_pool",
            Self::AvgPool(_) => "avg_pool",
            Self::AdaptiveAvgPool { .. } => "adaptive_avg_pool",
            Self::Flatten => "flatten",
            Self::Dropout { .. } => "dropout",
            Self::Scale { .. } => "scale",
            Self::ZeroChannels { .. } => "zero_channels",
            Self::ChannelAffine { .. } => "channel_affine",
            Self::InputAffine { .. } => "input_affine",
            Self::RadialBasis { .. } => "radial_basis",
            Self::Add => "add",
            Self::Concat => "cat",
        }
    }

    /// The group of operations it belongs to.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Input => Kind::Input,
            Self::Conv(_) => Kind::Convolution,
            Self::Linear(_) => Kind::Linear,
            Self::RadialBasis { .. } => Kind::RadialBasis,
            Self::BatchNorm(_) | Self::Lrn(_) => Kind::Normalisation,
            Self::Relu | Self::Sigmoid | Self::Tanh { .. } | Self::Softmax => Kind::Activation,
            Self::Dropout { .. } | Self::Scale { .. } | Self::ChannelAffine { .. } | Self::InputAffine { .. } => {
                Kind::Elementwise
            }
            Self::MaxPool(_) | Self::AvgPool(_) => Kind::Pool,
            Self::AdaptiveAvgPool { .. } => Kind::AdaptivePool,
            Self::Flatten | Self::ZeroChannels { .. } => Kind::Layout,
            Self::Add | Self::Concat => Kind::Join,
        }
    }

    /// Whether the operation neither looks beyond an element's own position nor has branches: what a picture may write
    /// into its neighbour's box.
    pub fn is_elementwise(&self) -> bool {
        match self.kind() {
            Kind::Normalisation | Kind::Activation | Kind::Elementwise => true,
            Kind::Input
            | Kind::Convolution
            | Kind::Linear
            | Kind::RadialBasis
            | Kind::Pool
            | Kind::AdaptivePool
            | Kind::Layout
            | Kind::Join => false,
        }
    }
}

/// Operations by what they are for, where a reader need not know each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The network's input.
    Input,
    /// Convolutions.
    Convolution,
    /// Linear layers.
    Linear,
    /// Radial basis functions.
    RadialBasis,
    /// Batch and local response normalisation.
    Normalisation,
    /// Functions of the values of one position.
    Activation,
    /// Anything else that keeps positions apart: dropout, factors, shifts.
    Elementwise,
    /// Pools with a window.
    Pool,
    /// Pools that see the whole map whatever its size.
    AdaptivePool,
    /// What only arranges values.
    Layout,
    /// Sum and concatenation.
    Join,
}

impl Kind {
    /// Whether papers count it as a layer: convolutions and linear maps.
    pub fn is_layer(self) -> bool {
        matches!(self, Self::Convolution | Self::Linear)
    }
}
