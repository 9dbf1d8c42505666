//! Tensors that lie elsewhere, on their way to a file.

use crate::error::{Error, Result};
use crate::tensor::{Number, Tensor, check_count};
use crate::weights::Weights;
use crate::written::serialised;
use safetensors::{Dtype, View};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Named tensors of `f32` that somebody else holds: they are written to a file without a copy of their own.
///
/// ```
/// use cnn_weights::{BorrowedWeights, Weights};
///
/// let values = [1.0, 2.0, 3.0, 4.0];
/// let mut borrowed = BorrowedWeights::new();
/// borrowed.insert("fc.weight", &[2, 2], &values[..])?;
/// let read = Weights::from_bytes(borrowed.to_bytes("the weights")?, "the weights")?;
/// assert_eq!(read.get("fc.weight").unwrap().numbers::<f32>("fc.weight")?, &values[..]);
/// # Ok::<(), cnn_weights::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BorrowedWeights<'a> {
    tensors: BTreeMap<String, Borrowed<'a>>,
    metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct Borrowed<'a> {
    dims: Vec<usize>,
    values: Cow<'a, [f32]>,
}

impl<'a> BorrowedWeights<'a> {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor, or puts it in the place of one of the same name.
    ///
    /// # Errors
    ///
    /// Numbers whose count is not the product of the dimensions.
    pub fn insert(&mut self, name: impl Into<String>, dims: &[usize], values: impl Into<Cow<'a, [f32]>>) -> Result<()> {
        let (name, values) = (name.into(), values.into());
        check_count(&name, dims, values.len())?;
        self.tensors.insert(name, Borrowed { dims: dims.to_vec(), values });
        Ok(())
    }

    /// Checks that all numbers are finite; `weights` is what an error names.
    ///
    /// # Errors
    ///
    /// The first number that is not.
    pub fn check_finite(&self, weights: &str) -> Result<()> {
        for (name, tensor) in &self.tensors {
            if let Some(position) = f32::first_not_finite(&tensor.values) {
                let (weights, name, found) = (weights.to_string(), name.clone(), f64::from(tensor.values[position]));
                return Err(Error::NotFinite { weights, name, found, position });
            }
        }
        Ok(())
    }

    /// The same with a line of metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// The bytes of a safetensors file with these tensors and the metadata; `name` is what an error names. The same
    /// tensors give the same bytes.
    ///
    /// # Errors
    ///
    /// Tensors that no such file can hold.
    pub fn to_bytes(&self, name: &str) -> Result<Vec<u8>> {
        serialised(&self.tensors, &self.metadata, name)
    }

    /// The tensors as weights that hold their numbers themselves; what is held already is not copied.
    pub fn into_weights(self) -> Weights {
        let mut weights = Weights::new();
        for (name, Borrowed { dims, values }) in self.tensors {
            let tensor = Tensor::new(&name, &dims, values.into_owned()).expect("as many as its dimensions say");
            weights.insert(name, tensor);
        }
        self.metadata.into_iter().fold(weights, |weights, (key, value)| weights.with_metadata(key, value))
    }
}

impl View for &Borrowed<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.dims
    }
    fn data(&self) -> Cow<'_, [u8]> {
        // The targets are little-endian, as the file is.
        const { assert!(cfg!(target_endian = "little")) };
        Cow::Borrowed(bytemuck::cast_slice(&self.values))
    }
    fn data_len(&self) -> usize {
        size_of_val(&*self.values)
    }
}
