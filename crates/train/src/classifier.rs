//! A network that answers, on the engine of its device.

use crate::classify::Classify;
use crate::engine::Engine;
use crate::error::Result;
use cnn_core::Network;
use cnn_core::device::Device;
use cnn_plan::Predictor;
use cnn_weights::Weights;

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
