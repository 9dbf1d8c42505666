//! What to export, and the file.

use crate::about::About;
use crate::error::Result;
use crate::lower::lower;
use crate::normalise::Pixels;
use crate::{file, schema};
use cnn_network::Network;
use cnn_weights::Weights;

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

impl Export {
    /// The bytes of the file. The same network, weights and options give the same bytes. Beside them, one tensor at a time
    /// is in memory.
    ///
    /// # Errors
    ///
    /// Weights that are not the network's; class names or statistics that do not fit it; a file of more than 2 GiB, which
    /// no reader of ONNX takes; more memory than there is.
    pub fn to_bytes(&self, network: &Network, weights: &Weights) -> Result<Vec<u8>> {
        weights.check_for(network, &[network.outputs()[0].node])?;
        self.about.check(network)?;
        let graph = lower(network, weights, self)?;
        let model = schema::ModelProto {
            ir_version: Some(crate::FORMAT),
            opset_import: vec![schema::OperatorSetIdProto {
                domain: Some(String::new()),
                version: Some(crate::OPERATORS),
            }],
            producer_name: Some(env!("CARGO_PKG_NAME").to_string()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_string()),
            graph: None,
            metadata_props: self.about.entries(network, self.normalise),
        };
        file::bytes(&model, graph)
    }
}
