//! What to export.

use crate::about::About;
use crate::normalise::Pixels;

/// How a network becomes an ONNX file.
///
/// ```
/// # use cnn_network::definition::{batch_norm, chain, conv, linear};
/// # use cnn_weights::Weights;
/// use cnn_onnx::{About, Export, Pixels};
///
/// # let definition = chain().then("conv", conv(3).out(8)).then("bn", batch_norm()).relu();
/// # let network = definition.global_avg_pool().then("fc", linear(2)).named("tiny", [1, 8, 8]).at_usual_input()?;
/// # let weights = Weights::initialised(&network, 7);
/// let about = About { mean: vec![0.1307], std: vec![0.3081], ..About::default() };
/// let export = Export { fold: true, probabilities: true, normalise: Some(Pixels::Bytes), about };
/// let file = export.to_bytes(&network, &weights)?;
/// # assert!(file.len() > 400);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Export {
    /// Whether a batch normalisation becomes part of the convolution or linear layer before it, where that is the same
    /// function: it must be the layer's only reader. What is left stays as it is.
    pub fold: bool,
    /// Whether there is an output `probabilities` beside `logits`. A network that gives probabilities itself has it anyway,
    /// and without `logits` where it takes their mean over the places of a map, before which there are no scores.
    pub probabilities: bool,
    /// Whether the graph itself subtracts [`About::mean`] and divides by [`About::std`], and what its input then is.
    pub normalise: Option<Pixels>,
    /// What the file says of itself.
    pub about: About,
}
