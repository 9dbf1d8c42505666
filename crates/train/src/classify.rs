//! Networks that answer.

use crate::engine::Engine;
use crate::error::Result;
use cnn_core::Network;
use cnn_core::device::Device;
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

/// A network with its weights, on the engine that is the faster one on a device.
///
/// # Errors
///
/// Weights that are not the network's, numbers that are not finite; those of the device.
pub fn classifier(network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Classify>> {
    Ok(match Engine::usual(device) {
        Engine::Plan => Box::new(Predictor::new(network, weights)?),
        #[cfg(feature = "candle")]
        Engine::Candle => {
            let model = cnn_core::Model::from_weights(network, weights, candle_core::DType::F32, device)?;
            Box::new(crate::CandleEvaluation::new(&model, device))
        }
        #[cfg(not(feature = "candle"))]
        Engine::Candle => return Err(crate::error::Error::CandleFeature),
    })
}

/// Channels, height and width of what a network takes.
pub(crate) fn input(network: &Network) -> [usize; 3] {
    let dims = network.input().dims();
    [dims[0], dims[1], dims[2]]
}
