//! Weights as plain safetensors, with a card that says what they are for.

use crate::error::{Error, Result};
use crate::whole_file::write_whole;
use candle_core::{DType, Device};
use cnn_core::{Model, Network};
use cnn_data::Preparation;
use cnn_weights::{CARD, Start, Tensor, Weights};
use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
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
    /// The card as a file's metadata; `path` is what an error names.
    pub(crate) fn as_metadata(&self, path: &Path) -> Result<HashMap<String, String>> {
        let card = serde_json::to_string(self).map_err(|e| Error::file(path, "cannot write")(e.into()))?;
        Ok(HashMap::from([(CARD.to_string(), card)]))
    }

    /// The card of a safetensors file, if it has one; what is wrong with the file.
    pub(crate) fn of_file(bytes: &[u8]) -> Result<Option<Self>, String> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
        let card = metadata.metadata().as_ref().and_then(|metadata| metadata.get(CARD));
        card.map(|card| serde_json::from_str(card).map_err(|e| format!("its card: {e}"))).transpose()
    }
}

/// Named numbers on their way to a file.
#[derive(Debug, Default)]
pub(crate) struct Tensors<'a>(pub(crate) Vec<(String, Numbers<'a>)>);

/// A tensor of f32.
#[derive(Debug)]
pub(crate) struct Numbers<'a> {
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Cow<'a, [f32]>,
}

impl View for &Numbers<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.dims
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(bytemuck::cast_slice(&self.values))
    }
    fn data_len(&self) -> usize {
        size_of_val(&*self.values)
    }
}

impl Tensors<'_> {
    /// A safetensors file; `path` is what an error names.
    pub(crate) fn to_bytes(&self, path: &Path, metadata: Option<HashMap<String, String>>) -> Result<Vec<u8>> {
        safetensors::serialize(self.0.iter().map(|(name, numbers)| (name, numbers)), metadata)
            .map_err(|e| Error::WeightsFile { path: path.to_path_buf(), problem: e.to_string() })
    }

    /// The numbers in a safetensors file of f32; what is wrong with it.
    pub(crate) fn numbers(bytes: &[u8]) -> Result<HashMap<String, Vec<f32>>, String> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
        let numbers = file.iter().map(|(name, view)| match view.dtype() {
            Dtype::F32 => {
                let (numbers, _) = view.data().as_chunks::<4>();
                Ok((name.to_string(), numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()))
            }
            other => Err(format!("{name} is of {other:?}, not of F32")),
        });
        numbers.collect()
    }

    /// Writes a weights file: whole or not at all.
    pub(crate) fn write(&self, path: &Path, card: &Card) -> Result<()> {
        write_whole(path, &self.to_bytes(path, Some(card.as_metadata(path)?))?)
    }
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
        let card = weights.metadata().get(CARD).map(|card| serde_json::from_str(card)).transpose();
        let problem =
            |e: serde_json::Error| Error::WeightsFile { path: path.to_path_buf(), problem: format!("its card: {e}") };
        Ok(Self { path: path.to_path_buf(), card: card.map_err(problem)?, weights })
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
        tensors_of(model)?.write(path, card)
    }
}

/// A model's tensors as numbers.
pub(crate) fn tensors_of(model: &Model) -> Result<Tensors<'static>> {
    let tensors = model.tensors().map(|(spec, tensor)| {
        let values = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok((spec.name.clone(), Numbers { dims: spec.dims.clone(), values: Cow::Owned(values) }))
    });
    Ok(Tensors(tensors.collect::<Result<_>>()?))
}
