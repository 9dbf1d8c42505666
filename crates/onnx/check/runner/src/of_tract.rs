//! tract.

use crate::Batch;
use anyhow::Result;
use std::path::Path;
use tract_onnx::prelude::*;

/// The output `logits`. The model is optimised with its batch left free.
pub(crate) fn logits(path: &Path, batch: &Batch) -> Result<Batch> {
    let model = tract_onnx::onnx().model_for_path(path)?.into_optimized()?.into_runnable()?;
    let input = Tensor::from_shape(&batch.dims, &batch.values)?;
    let outputs = model.run(tvec!(input.into()))?;
    let logits = outputs[0].to_plain_array_view::<f32>()?;
    Ok(Batch { dims: logits.shape().to_vec(), values: logits.iter().copied().collect() })
}
