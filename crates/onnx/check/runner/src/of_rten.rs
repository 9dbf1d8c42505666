//! rten.

use crate::Batch;
use anyhow::{Context, Result};
use rten::Model;
use rten_tensor::prelude::*;
use rten_tensor::Tensor;
use std::path::Path;

/// The output `logits`.
pub(crate) fn logits(path: &Path, batch: &Batch) -> Result<Batch> {
    let model = Model::load_file(path)?;
    let input = Tensor::from_data(batch.dims.as_slice(), batch.values.clone());
    let id = model.node_id("logits")?;
    let outputs = model.run(vec![(model.node_id("input")?, input.into())], &[id], None)?;
    let logits = outputs.into_iter().next().context("no output")?;
    let logits: Tensor<f32> = logits.try_into()?;
    Ok(Batch { dims: logits.shape().to_vec(), values: logits.to_vec() })
}
