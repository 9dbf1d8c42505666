//! The goldens of `tests/goldens/parity`; the README there has the format.

use crate::error::{Error, Result};
use cnn_core::shape::times;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Sampled elements of an inner node.
pub(crate) const NODE_SAMPLES: usize = 32;
/// Most numbers in a batch: a header that asks for more is damaged.
const BATCH: usize = 1 << 24;

/// Whole-network numbers that torch made.
#[derive(Clone, Debug)]
pub struct Golden {
    /// What was computed.
    pub about: About,
    tensors: BTreeMap<String, Vec<f64>>,
}

/// The header of a golden.
#[derive(Clone, Debug, Deserialize)]
pub struct About {
    /// The network's name, as in the zoo.
    pub name: String,
    /// The rule's seed.
    pub seed: u64,
    /// Number of classes.
    pub classes: usize,
    /// Shape of the batch the running statistics are from; none without batch normalisation.
    pub calibration: Option<[usize; 4]>,
    /// Shape of the first batch.
    pub input: [usize; 4],
    /// Shape of the second batch, where the network takes another size.
    pub input2: Option<[usize; 4]>,
    /// Paths of the inner nodes.
    pub nodes: Vec<String>,
    /// Their shapes, with batch.
    pub node_shapes: Vec<Vec<usize>>,
    /// Their shapes for the second batch.
    #[serde(default)]
    pub node_shapes2: Vec<Vec<usize>>,
    /// Largest difference between the logits of the two inputs.
    pub separation: f64,
    /// The same for the second batch.
    #[serde(default)]
    pub separation2: f64,
    /// Names of the auxiliary heads.
    pub heads: Vec<String>,
    /// Weight of a head's loss.
    pub head_weight: f64,
    /// Names of all trained tensors.
    pub gradients: Vec<String>,
    /// Those whose gradient is zero but for rounding.
    pub zero_gradients: Vec<String>,
    /// How far torch's f32 logits are from its f64 ones, relative to the separation.
    pub f32_logits: f64,
    /// The same for the second batch.
    #[serde(default)]
    pub f32_logits2: f64,
    /// How far torch's f32 training loss is from its f64 one, relative to itself.
    pub f32_loss: f64,
    /// How far torch's f64 gradients move when every weight moves by its last bit.
    pub f64_gradients: Spread,
}

/// Of numbers over all tensors.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Spread {
    /// Largest.
    pub max: f64,
    /// Median.
    pub median: f64,
}

impl About {
    /// What a damaged header would break later on, in a sentence.
    fn check(&self, network: &str) -> Result<(), String> {
        if self.name != network {
            return Err(format!("it is about {}", self.name));
        }
        if self.classes == 0 {
            return Err("it has no classes".to_string());
        }
        let batches = [("calibration", self.calibration), ("input", Some(self.input)), ("input2", self.input2)];
        for (field, batch) in batches {
            let Some(batch) = batch else { continue };
            let numbers = batch.iter().try_fold(1, |product: usize, n| product.checked_mul(*n));
            if !numbers.is_some_and(|numbers| (1..=BATCH).contains(&numbers)) {
                return Err(format!("{field} is {}, which is no batch of images", times(&batch)));
            }
        }
        let mut separations = vec![("separation", self.separation)];
        let mut distances = vec![
            ("f32_logits", self.f32_logits),
            ("f32_loss", self.f32_loss),
            ("f64_gradients", self.f64_gradients.max),
        ];
        if self.input2.is_some() {
            separations.push(("separation2", self.separation2));
            distances.push(("f32_logits2", self.f32_logits2));
        }
        for (field, value) in separations {
            if !value.is_finite() || value <= 0.0 {
                return Err(format!("{field} is {value}, but must be positive"));
            }
        }
        for (field, value) in distances {
            if !value.is_finite() || value < 0.0 {
                return Err(format!("{field} is {value}, but is a distance"));
            }
        }
        let trained: BTreeSet<&String> = self.gradients.iter().collect();
        if trained.len() < self.gradients.len() {
            return Err("gradients names a tensor twice".to_string());
        }
        match self.zero_gradients.iter().find(|name| !trained.contains(name)) {
            Some(name) => Err(format!("zero_gradients has {name}, gradients does not")),
            None => Ok(()),
        }
    }

    /// The first tensor that is missing or not of the shape that the header asks for, in a sentence.
    fn check_shapes(&self, file: &SafeTensors<'_>) -> Result<(), String> {
        let shape_of = |name: &str| match file.tensor(name) {
            Ok(view) => Ok(view.shape().to_vec()),
            Err(_) => Err(format!("it has no tensor {name}")),
        };
        let mut shapes = vec![("train.loss".to_string(), vec![1])];
        let second = self.input2.map(|input| ("eval2", input));
        for (part, [images, ..]) in [("eval1", self.input)].into_iter().chain(second) {
            shapes.push((format!("{part}.logits"), vec![images, self.classes]));
            shapes.push((format!("{part}.nodes"), vec![self.nodes.len(), 2 + NODE_SAMPLES]));
        }
        for output in ["logits"].into_iter().chain(self.heads.iter().map(String::as_str)) {
            shapes.push((format!("train.{output}"), vec![self.input[0], self.classes]));
        }
        shapes.push(("train.f32_distance".to_string(), vec![self.gradients.len()]));
        for (name, needed) in shapes {
            let found = shape_of(&name)?;
            if found != needed {
                return Err(format!("{name} is {}, but {} is needed", times(&found), times(&needed)));
            }
        }
        // How many elements of each gradient are sampled is the file's choice.
        match shape_of("train.gradients")?.as_slice() {
            [rows, width] if *rows == self.gradients.len() && *rows > 0 && *width > 2 => Ok(()),
            found => Err(format!(
                "train.gradients is {}, but {} rows of a norm, a largest magnitude and samples are needed",
                times(found),
                self.gradients.len()
            )),
        }
    }
}

impl Golden {
    /// The golden of a network in `folder`, if there is one.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is no golden of this network.
    pub fn read(folder: &Path, network: &str) -> Result<Option<Self>> {
        let path = folder.join(format!("{network}.safetensors"));
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::file(&path, error))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| Error::file(&path, error))?;
        let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get("parity"));
        let header = header.ok_or_else(|| Error::file(&path, "it has no metadata `parity`"))?;
        let about: About = serde_json::from_str(header).map_err(|error| Error::file(&path, error))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| Error::file(&path, error))?;
        about.check(network).and_then(|()| about.check_shapes(&file)).map_err(|problem| Error::file(&path, problem))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            let values: Vec<f64> = match view.dtype() {
                Dtype::F64 => view.data().as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
                Dtype::F32 => {
                    view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect()
                }
                other => return Err(Error::file(&path, format!("{name} is {other:?}"))),
            };
            if values.iter().any(|value| !value.is_finite()) {
                return Err(Error::file(&path, format!("{name} holds infinity or NaN")));
            }
            tensors.insert(name.to_string(), values);
        }
        Ok(Some(Self { about, tensors }))
    }

    /// The values of a tensor; none of a tensor that is not there.
    pub fn values(&self, name: &str) -> &[f64] {
        self.tensors.get(name).map_or(&[], Vec::as_slice)
    }

    /// Row `index` of a tensor of `rows` rows.
    pub(crate) fn row(&self, name: &str, rows: usize, index: usize) -> &[f64] {
        let values = self.values(name);
        let width = values.len() / rows.max(1);
        &values[(index * width).min(values.len())..((index + 1) * width).min(values.len())]
    }
}
