//! Weights as plain safetensors, with a card that says what they are for.

use crate::error::{Error, Result};
use crate::whole_file::write_whole;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cnn_core::{Architecture, Model, Network};
use cnn_data::Preparation;
use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
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

/// Weights read from a file.
#[derive(Debug)]
pub struct WeightsFile {
    /// The file.
    pub path: PathBuf,
    /// The card, if this library wrote the file.
    pub card: Option<Card>,
    tensors: HashMap<String, Tensor>,
}

/// Where a network's weights begin, if not as freshly initialised.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The tensors that are taken from elsewhere, by name, f32 on the CPU.
    pub tensors: HashMap<String, Tensor>,
    /// The tensors that begin anew: those of a last layer for another number of classes, and of heads the file lacks.
    pub anew: Vec<String>,
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
        let card = Card::of_file(&bytes).map_err(broken)?;
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

    /// These weights as a start for training `network`, which may have another number of classes.
    ///
    /// A tensor begins anew where its shape differs from the file's only in sizes that are the network's number of
    /// classes, or where it belongs to an auxiliary head that the file lacks.
    ///
    /// # Errors
    ///
    /// Any other tensor that is missing or has another shape.
    pub fn start(&self, network: &Network) -> Result<Start> {
        let classes = network.node(network.outputs()[0].node).shape.elements();
        let mut start = Start::default();
        for node in network.nodes() {
            for spec in &node.tensors {
                let Some(tensor) = self.tensors.get(&spec.name) else {
                    if node.head.is_some() {
                        start.anew.push(spec.name.clone());
                        continue;
                    }
                    let (network, name) = (network.name().to_string(), spec.name.clone());
                    return Err(cnn_core::Error::MissingTensor { network, name, expected: spec.dims.clone() }.into());
                };
                let same_rank = tensor.dims().len() == spec.dims.len();
                let of_classes =
                    || tensor.dims().iter().zip(&spec.dims).all(|(found, here)| found == here || *here == classes);
                if tensor.dims() == spec.dims {
                    let tensor = tensor.to_dtype(DType::F32)?.to_device(&Device::Cpu)?;
                    start.tensors.insert(spec.name.clone(), tensor);
                } else if same_rank && of_classes() {
                    start.anew.push(spec.name.clone());
                } else {
                    let (network, name) = (network.name().to_string(), spec.name.clone());
                    let (expected, found) = (spec.dims.clone(), tensor.dims().to_vec());
                    return Err(cnn_core::Error::TensorShape { network, name, expected, found }.into());
                }
            }
        }
        Ok(start)
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

/// candle's errors can carry a backtrace behind their first line.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}
