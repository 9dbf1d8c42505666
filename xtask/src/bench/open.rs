//! The engines by their names.

#[cfg(feature = "candle")]
use super::candle::{Forward, Training};
use super::engine::Engine;
use super::plan::{Inference, Planned};
use super::workload::{Batch, Workload};
use crate::cli::EngineName;
use anyhow::Result;

/// The engine of this name, ready to take its first step.
pub fn open(name: EngineName, workload: &Workload, batch: Batch) -> Result<Box<dyn Engine>> {
    Ok(match (name, workload.train) {
        #[cfg(feature = "candle")]
        (EngineName::Candle, false) => Box::new(Forward::new(workload, batch)?),
        #[cfg(feature = "candle")]
        (EngineName::Candle, true) => Box::new(Training::new(workload, batch)?),
        #[cfg(not(feature = "candle"))]
        (EngineName::Candle, _) => return Err(cnn_train::Error::CandleFeature.into()),
        (EngineName::Plan, false) => Box::new(Inference::new(workload, batch)?),
        (EngineName::Plan, true) => Box::new(Planned::new(workload, batch)?),
    })
}
