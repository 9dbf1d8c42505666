//! Models of candle's that answer.

use crate::classify::{Classify, input};
use crate::error::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::Module;
use cnn_core::Model;
use cnn_core::model::Evaluation;
use cnn_data::Batch;

/// A model of candle's in evaluation mode, on its device.
#[derive(Debug)]
pub struct CandleEvaluation {
    evaluation: Evaluation,
    device: Device,
    /// Channels, height and width of an image.
    input: [usize; 3],
    gives_probabilities: bool,
}

impl CandleEvaluation {
    /// The evaluation of a model on its device; it follows the model's weights.
    pub fn new(model: &Model, device: &Device) -> Self {
        let network = model.network();
        let gives_probabilities = network.gives_probabilities(network.outputs()[0].node);
        Self { evaluation: model.evaluation(), device: device.clone(), input: input(network), gives_probabilities }
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

    fn gives_probabilities(&self) -> bool {
        self.gives_probabilities
    }
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
