//! Weights as plain safetensors, with a card that says what they are for.

use crate::error::{Error, Result};
use crate::whole_file::write_whole;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cnn_core::{Architecture, Model, Network};
use cnn_data::Preparation;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
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

    /// Whether the weights are of this network: its card says so, if it has one, and it has no tensor that the network
    /// lacks. Heads may be there or not; `num_batches_tracked` is of torch alone.
    ///
    /// # Errors
    ///
    /// Weights of another network, even where every tensor that is needed is there.
    pub fn check(&self, architecture: &Architecture) -> Result<()> {
        let (path, network) = (self.path.clone(), architecture.name().to_string());
        if let Some(card) = &self.card
            && card.network != network
        {
            return Err(Error::OtherNetwork { path, network, found: format!("weights of {}", card.network) });
        }
        let known = architecture.at_usual_input()?;
        let known: BTreeSet<&str> = known.tensors().map(|spec| spec.name.as_str()).collect();
        let mut surplus: Vec<&String> = self
            .tensors
            .keys()
            .filter(|name| !known.contains(name.as_str()) && !name.ends_with("num_batches_tracked"))
            .collect();
        surplus.sort_unstable();
        match surplus.first() {
            None => Ok(()),
            Some(first) => {
                let found = format!("{} tensors that it lacks, {first} the first", surplus.len());
                Err(Error::OtherNetwork { path, network, found })
            }
        }
    }

    /// The model of `network` with these weights, for evaluation.
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
