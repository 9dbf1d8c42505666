//! What can go wrong with a model or a device.

use cnn_network::Shape;

/// Result with [`ModelError`].
pub(crate) type Result<T, E = ModelError> = std::result::Result<T, E>;

/// What can go wrong with a model or a device: one sentence with the place and what was expected and found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// What can go wrong with the network itself, and tensors that do not fit it.
    #[error(transparent)]
    Network(#[from] cnn_network::Error),
    /// What can go wrong with weights.
    #[error(transparent)]
    Weights(#[from] cnn_weights::Error),
    /// What can go wrong in the CPU's plans.
    #[error(transparent)]
    Plan(#[from] cnn_plan::Error),
    /// Training-mode batch normalisation over a single value.
    #[error("{path}: batch normalisation cannot train on a single value per channel (batch of 1 at {shape})")]
    SingleValue {
        /// The node.
        path: String,
        /// Shape of one sample.
        shape: Shape,
    },
    /// A loss of more or fewer outputs than the network has.
    #[error(
        "{network}: a loss takes all {expected} outputs of Model::outputs_t, the auxiliary heads' too, not {found}; \
         Architecture::without_heads leaves them out"
    )]
    Outputs {
        /// The network.
        network: String,
        /// Outputs of the network.
        expected: usize,
        /// Outputs given.
        found: usize,
    },
    /// A device this build or this machine lacks, or a name that means none.
    #[error("device {name}: {problem}")]
    Device {
        /// The device as asked for.
        name: String,
        /// Why it cannot be had.
        problem: String,
    },
    /// An error inside candle.
    #[cfg(feature = "candle")]
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

#[cfg(feature = "candle")]
impl From<ModelError> for candle_core::Error {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Candle(error) => error,
            other => candle_core::Error::wrap(other),
        }
    }
}
