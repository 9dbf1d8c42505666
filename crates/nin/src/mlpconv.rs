//! The block.

use cnn_core::definition::{Chain, chain};
use cnn_core::op::Conv;

/// The mlpconv layer of the paper's figure 1b and equation 2: a convolution and, as 1×1 convolutions, the layers of a
/// perceptron that every one of its pixels goes through, each with its ReLU.
///
/// ```
/// use cnn_nin::cnn_core::definition::{chain, conv};
/// use cnn_nin::mlpconv;
///
/// let block = mlpconv([conv(5).out(192).pad(2), conv(1).out(160), conv(1).out(96)]);
/// let network = chain().then("mlpconv1", block).named("nin", [3, 32, 32]).at_usual_input()?;
/// assert_eq!(network.node(network.find("mlpconv1")?).shape.dims(), [96, 32, 32]);
/// # Ok::<(), cnn_nin::cnn_core::Error>(())
/// ```
pub fn mlpconv(convolutions: impl IntoIterator<Item = Conv>) -> Chain {
    convolutions.into_iter().fold(chain().numbered(), |block, convolution| block.and(convolution).relu())
}
