//! A model's weights as a safetensors file, with a card that says what they are for.

use crate::error::Result;
#[cfg(feature = "candle")]
use crate::whole_file::write_whole;
#[cfg(feature = "candle")]
use candle_core::{DType, Device};
#[cfg(feature = "candle")]
use cnn_core::Model;
use cnn_data::Card;
use cnn_weights::{BorrowedWeights, CARD};
use std::path::Path;

/// The bytes of a file of weights with its card; `path` is what an error names. Weights that are not finite are none.
pub(crate) fn file_of(weights: BorrowedWeights<'_>, card: &Card, path: &Path) -> Result<Vec<u8>> {
    let name = path.display().to_string();
    weights.check_finite(&name)?;
    Ok(weights.with_metadata(CARD, card.to_json()?).to_bytes(&name)?)
}

/// Writes a model's tensors, statistics included, and the card: the file is whole or not there.
///
/// # Errors
///
/// A folder that cannot be written, a full disk.
#[cfg(feature = "candle")]
pub fn write_model(path: &Path, model: &Model, card: &Card) -> Result<()> {
    write_whole(path, &file_of(tensors_of(model)?, card, path)?)
}

/// A model's tensors.
#[cfg(feature = "candle")]
pub(crate) fn tensors_of(model: &Model) -> Result<BorrowedWeights<'static>> {
    let mut tensors = BorrowedWeights::new();
    for (spec, tensor) in model.tensors() {
        let values = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        tensors.insert(spec.name.clone(), &spec.dims, values)?;
    }
    Ok(tensors)
}
