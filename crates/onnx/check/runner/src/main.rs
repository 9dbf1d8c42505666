//! `runner tract|rten NETWORK.onnx INPUT.safetensors OUTPUT.safetensors`: the tensor `input` goes in, `logits` come out.

mod of_rten;
mod of_tract;

use anyhow::{Context, Result, bail};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize_to_file};
use std::path::Path;

/// Numbers with their dimensions.
struct Batch {
    dims: Vec<usize>,
    values: Vec<f32>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, network, input, output] = arguments.as_slice() else {
        bail!("usage: runner tract|rten NETWORK.onnx INPUT.safetensors OUTPUT.safetensors");
    };
    let batch = read(Path::new(input)).with_context(|| format!("cannot read {input}"))?;
    let logits = match engine.as_str() {
        "tract" => of_tract::logits(Path::new(network), &batch)?,
        "rten" => of_rten::logits(Path::new(network), &batch)?,
        other => bail!("there is no engine {other}, only tract and rten"),
    };
    let bytes: &[u8] = bytemuck::cast_slice(&logits.values);
    let view = TensorView::new(Dtype::F32, logits.dims, bytes)?;
    Ok(serialize_to_file([("logits", view)], None, Path::new(output))?)
}

fn read(path: &Path) -> Result<Batch> {
    let bytes = std::fs::read(path)?;
    let tensors = SafeTensors::deserialize(&bytes)?;
    let input = tensors.tensor("input")?;
    let numbers = input.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    Ok(Batch { dims: input.shape().to_vec(), values: numbers.collect() })
}
