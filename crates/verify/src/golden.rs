//! The goldens of `tests/goldens/parity`; the README there has the format.

use crate::error::{Error, Result};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

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

impl Golden {
    /// The golden of a network in `folder`, if there is one.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is no golden.
    pub fn read(folder: &Path, network: &str) -> Result<Option<Self>> {
        let path = folder.join(format!("{network}.safetensors"));
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::file(&path, error))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| Error::file(&path, error))?;
        let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get("parity"));
        let header = header.ok_or_else(|| Error::file(&path, "it has no metadata `parity`"))?;
        let about = serde_json::from_str(header).map_err(|error| Error::file(&path, error))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| Error::file(&path, error))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            let values = match view.dtype() {
                Dtype::F64 => view.data().as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
                Dtype::F32 => {
                    view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect()
                }
                other => return Err(Error::file(&path, format!("{name} is {other:?}"))),
            };
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
