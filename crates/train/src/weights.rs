//! Weights as plain safetensors, with a card that says what they are for.

use crate::error::{Error, Result};
use crate::whole_file::write_whole;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cnn_core::{Model, Network};
use cnn_data::Preparation;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The key of the card among the file's metadata. One key alone: the order of several is not kept, the bytes would
/// differ from run to run.
const CARD: &str = "cnn";

/// What weights are for, kept in the file's metadata as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The network's name.
    pub network: String,
    /// Shape of one input sample, `[C, H, W]`.
    pub input: [usize; 3],
    /// Names of the classes, in the order of the outputs.
    pub classes: Vec<String>,
    /// The data set it was trained on.
    pub dataset: String,
    /// How an image becomes an input.
    pub preparation: Preparation,
}

/// Weights read from a file.
#[derive(Debug)]
pub struct WeightsFile {
    /// The file.
    pub path: PathBuf,
    /// The card, if this library wrote the file.
    pub card: Option<Card>,
    tensors: HashMap<String, Tensor>,
}

impl WeightsFile {
    /// Reads a safetensors file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is cut short, or is no safetensors.
    pub fn read(path: &Path, device: &Device) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::file(path, "cannot read"))?;
        let broken = |problem: String| Error::WeightsFile { path: path.to_path_buf(), problem };
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).map_err(|e| broken(e.to_string()))?;
        let card = match metadata.metadata().as_ref().and_then(|metadata| metadata.get(CARD)) {
            Some(card) => Some(serde_json::from_str(card).map_err(|e| broken(format!("its card: {e}")))?),
            None => None,
        };
        let tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|e| broken(first_line(&e)))?;
        Ok(Self { path: path.to_path_buf(), card, tensors })
    }

    /// The dimensions of a tensor, if the file has it.
    pub fn dims(&self, tensor: &str) -> Option<&[usize]> {
        self.tensors.get(tensor).map(Tensor::dims)
    }

    /// The model of `network` with these weights, for evaluation or to go on training.
    ///
    /// # Errors
    ///
    /// A tensor that is missing or has another shape.
    pub fn model(&self, network: &Network, device: &Device) -> Result<Model> {
        let vb = VarBuilder::from_tensors(self.tensors.clone(), DType::F32, device);
        Ok(Model::new(network, vb)?)
    }

    /// Writes a model's tensors, statistics included, and the card: the file is whole or not there.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written, a full disk.
    pub fn write(path: &Path, model: &Model, card: &Card) -> Result<()> {
        let tensors: Vec<(String, Tensor)> = model
            .tensors()
            .map(|(spec, tensor)| Ok((spec.name.clone(), tensor.to_device(&Device::Cpu)?.contiguous()?)))
            .collect::<Result<_>>()?;
        let card = serde_json::to_string(card).map_err(|e| Error::file(path, "cannot write")(e.into()))?;
        let metadata = HashMap::from([(CARD.to_string(), card)]);
        let bytes = safetensors::serialize(tensors.iter().map(|(name, tensor)| (name, tensor)), Some(metadata))
            .map_err(|e| Error::WeightsFile { path: path.to_path_buf(), problem: e.to_string() })?;
        write_whole(path, &bytes)
    }
}

/// candle's errors can carry a backtrace behind their first line.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}
