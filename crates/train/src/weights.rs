//! Weights as plain safetensors, with a card that says what they are for.

use crate::error::{Error, Result};
use crate::whole_file::write_whole;
use candle_core::{DType, Device};
use cnn_core::{Model, Network};
use cnn_data::Preparation;
use cnn_weights::{BorrowedWeights, CARD, Start, Tensor, Weights};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

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

impl Card {
    /// The card as JSON; `path` is what an error names.
    pub(crate) fn to_json(&self, path: &Path) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::file(path, "cannot write")(e.into()))
    }

    /// The card of weights, if they have one.
    ///
    /// # Errors
    ///
    /// A card that cannot be read.
    pub fn of(weights: &Weights) -> Result<Option<Self>> {
        let card = weights.metadata().get(CARD).map(|card| serde_json::from_str(card)).transpose();
        let path = || PathBuf::from(weights.source());
        card.map_err(|e| Error::WeightsFile { path: path(), problem: format!("its card: {e}") })
    }
}

/// The bytes of a file of weights with its card; `path` is what an error names.
pub(crate) fn file_of(weights: BorrowedWeights<'_>, card: &Card, path: &Path) -> Result<Vec<u8>> {
    Ok(weights.with_metadata(CARD, card.to_json(path)?).to_bytes(&path.display().to_string())?)
}

/// Weights read from a file, with what this library says of them.
#[derive(Clone, Debug)]
pub struct WeightsFile {
    /// The file.
    pub path: PathBuf,
    /// The card, if this library wrote the file.
    pub card: Option<Card>,
    /// The tensors.
    pub weights: Weights,
}

impl WeightsFile {
    /// Opens a safetensors file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is cut short, or is no safetensors.
    pub fn read(path: &Path) -> Result<Self> {
        let weights = Weights::read(path)?;
        Ok(Self { path: path.to_path_buf(), card: Card::of(&weights)?, weights })
    }

    /// The dimensions of a tensor, if the file has it.
    pub fn dims(&self, tensor: &str) -> Option<&[usize]> {
        self.weights.get(tensor).map(Tensor::dims)
    }

    /// The model of `network` with these weights, for evaluation.
    ///
    /// # Errors
    ///
    /// Weights that are not the network's, numbers that are not finite.
    pub fn model(&self, network: &Network, device: &Device) -> Result<Model> {
        Ok(Model::from_weights(network, &self.weights, DType::F32, device)?)
    }

    /// These weights as a start for training `network`, which may have another number of classes.
    ///
    /// # Errors
    ///
    /// As [`Weights::start`].
    pub fn start(&self, network: &Network) -> Result<Start> {
        Ok(self.weights.start(network)?)
    }

    /// Writes a model's tensors, statistics included, and the card: the file is whole or not there.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written, a full disk.
    pub fn write(path: &Path, model: &Model, card: &Card) -> Result<()> {
        write_whole(path, &file_of(tensors_of(model)?, card, path)?)
    }
}

/// A model's tensors.
pub(crate) fn tensors_of(model: &Model) -> Result<BorrowedWeights<'static>> {
    let mut tensors = BorrowedWeights::new();
    for (spec, tensor) in model.tensors() {
        let values = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        tensors.insert(spec.name.clone(), &spec.dims, values)?;
    }
    Ok(tensors)
}
