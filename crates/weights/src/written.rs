//! Weights as the bytes of a safetensors file.

use crate::error::{Error, Result};
use crate::safetensors_file::kind;
use crate::tensor::Tensor;
use crate::weights::Weights;
use safetensors::{Dtype, View};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// How many bits numbers are written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// Those in memory: f64 where they are f64, else f32.
    #[default]
    Kept,
    /// 32 bits.
    F32,
    /// 16 bits, of which 5 are the exponent: numbers up to 65504.
    F16,
    /// 16 bits, of which 8 are the exponent, as f32 has: 3 digits of any size.
    BF16,
}

impl Weights {
    /// The bytes of a safetensors file with these tensors, in f64 where they are f64, else in f32, and the metadata. The
    /// same weights give the same bytes.
    ///
    /// # Errors
    ///
    /// Numbers that can no longer be read.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.to_bytes_of(Precision::Kept)
    }

    /// [`Weights::to_bytes`] with so many bits a number. The numbers are read one tensor at a time: the file is in memory
    /// once.
    ///
    /// # Errors
    ///
    /// Numbers that can no longer be read, or that are too large for the precision.
    pub fn to_bytes_of(&self, precision: Precision) -> Result<Vec<u8>> {
        let bytes = self.iter().map(|(_, tensor)| tensor.elements() * dtype(tensor, precision).bitsize() / 8);
        cnn_system::memory::ask(cnn_system::Bytes::of(bytes.sum()))
            .map_err(|shortage| Error::Memory { weights: self.source().to_string(), shortage })?;
        let failure = RefCell::new(None);
        let view = |(name, tensor): (&'_ str, _)| {
            let dtype = dtype(tensor, precision);
            (name.to_string(), Written { name: name.to_string(), tensor, dtype, weights: self, failure: &failure })
        };
        let views: BTreeMap<String, Written<'_>> = self.iter().map(view).collect();
        let bytes = serialised(&views, self.metadata(), self.source())?;
        drop(views);
        failure.into_inner().map_or(Ok(bytes), Err)
    }
}

fn dtype(tensor: &Tensor, precision: Precision) -> Dtype {
    match precision {
        Precision::Kept if tensor.keeps_f64() => Dtype::F64,
        Precision::Kept | Precision::F32 => Dtype::F32,
        Precision::F16 => Dtype::F16,
        Precision::BF16 => Dtype::BF16,
    }
}

/// A tensor whose bytes are made when they are written. The format's crate takes no errors from it: the first is kept.
struct Written<'a> {
    name: String,
    tensor: &'a Tensor,
    dtype: Dtype,
    weights: &'a Weights,
    failure: &'a RefCell<Option<Error>>,
}

impl Written<'_> {
    fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        if let Some(bytes) = self.tensor.bytes_of(&kind(self.dtype)) {
            return bytes;
        }
        let values = self.tensor.numbers::<f32>(&self.name)?;
        let narrow = |bits: fn(f32) -> u16, back: fn(u16) -> f32| {
            let of = |value: &f32| match back(bits(*value)).is_finite() == value.is_finite() {
                true => Ok(bits(*value).to_le_bytes()),
                false => Err(self.too_large(*value)),
            };
            Ok(Cow::Owned(values.iter().map(of).collect::<Result<Vec<_>>>()?.into_flattened()))
        };
        match self.dtype {
            Dtype::F16 => {
                narrow(|value| half::f16::from_f32(value).to_bits(), |bits| half::f16::from_bits(bits).to_f32())
            }
            Dtype::BF16 => {
                narrow(|value| half::bf16::from_f32(value).to_bits(), |bits| half::bf16::from_bits(bits).to_f32())
            }
            _ => Ok(Cow::Owned(bytemuck::cast_slice(&values).to_vec())),
        }
    }

    fn too_large(&self, found: f32) -> Error {
        let (weights, name) = (self.weights.source().to_string(), self.name.clone());
        Error::TooLarge { weights, name, found, precision: self.dtype.to_string() }
    }
}

impl View for &Written<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        self.tensor.dims()
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.bytes().unwrap_or_else(|error| {
            self.failure.borrow_mut().get_or_insert(error);
            Cow::Borrowed(&[])
        })
    }
    fn data_len(&self) -> usize {
        self.tensor.elements() * self.dtype.bitsize() / 8
    }
}

/// The bytes of a safetensors file; `source` is what an error names.
pub(crate) fn serialised<'v, N: AsRef<str> + Ord + fmt::Display, V>(
    views: &'v BTreeMap<N, V>,
    metadata: &BTreeMap<String, String>,
    source: &str,
) -> Result<Vec<u8>>
where
    &'v V: View,
{
    // One key alone keeps the order, so that equal weights are equal bytes.
    let metadata: HashMap<String, String> = metadata.clone().into_iter().collect();
    let metadata = Some(metadata).filter(|metadata| !metadata.is_empty());
    safetensors::serialize(views.iter().map(|(name, view)| (name.as_ref(), view)), metadata)
        .map_err(|e| Error::Unwritable { weights: source.to_string(), problem: e.to_string() })
}
