//! Networks that answer.

use crate::engine::Engine;
use crate::error::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::Module;
use cnn_core::model::Evaluation;
use cnn_core::{Model, Network};
use cnn_data::Batch;
use cnn_plan::Predictor;
use cnn_weights::Weights;

/// Gives class scores, in evaluation mode.
pub trait Classify {
    /// The scores `(N, classes)` of prepared images `(N, C, H, W)`, an image after the other.
    ///
    /// # Errors
    ///
    /// Those of the network.
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>>;
}

impl<C: Classify + ?Sized> Classify for Box<C> {
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        (**self).logits(images)
    }
}

impl Classify for Predictor {
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        Ok(Self::logits(self, images)?)
    }
}

/// A model of candle's in evaluation mode, on its device.
#[derive(Debug)]
pub struct CandleEvaluation {
    evaluation: Evaluation,
    device: Device,
    /// Channels, height and width of an image.
    input: [usize; 3],
}

impl CandleEvaluation {
    /// The evaluation of a model on its device; it follows the model's weights.
    pub fn new(model: &Model, device: &Device) -> Self {
        Self { evaluation: model.evaluation(), device: device.clone(), input: input(model.network()) }
    }
}

impl Classify for CandleEvaluation {
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        let [channels, height, width] = self.input;
        let batch = images.len() / (channels * height * width);
        let images = Tensor::from_slice(images, (batch, channels, height, width), &self.device)?;
        let logits = self.evaluation.forward(&images)?;
        Ok(logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
    }
}

/// A network with its weights, on the engine that is the faster one on a device.
///
/// # Errors
///
/// Weights that are not the network's, numbers that are not finite; those of the device.
pub fn classifier(network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Classify>> {
    Ok(match Engine::usual(device) {
        Engine::Plan => Box::new(Predictor::new(network, weights)?),
        Engine::Candle => {
            let model = Model::from_weights(network, weights, DType::F32, device)?;
            Box::new(CandleEvaluation::new(&model, device))
        }
    })
}

/// A batch's images `(N, C, H, W)` and labels `(N)` as candle's tensors, for a loop of one's own.
///
/// # Errors
///
/// Those of the device.
pub fn tensors(batch: &Batch, device: &Device) -> Result<(Tensor, Tensor)> {
    let [channels, height, width] = batch.shape;
    let shape = (batch.labels.len(), channels, height, width);
    let images = Tensor::from_slice(&batch.images, shape, device)?;
    Ok((images, Tensor::new(batch.labels.as_slice(), device)?))
}

/// Channels, height and width of what a network takes.
pub(crate) fn input(network: &Network) -> [usize; 3] {
    let dims = network.input().dims();
    [dims[0], dims[1], dims[2]]
}
