//! A tensor of the file: what it will hold is known early, the numbers are made when they are written, one tensor at a time.

use crate::attribute::signed;
use crate::error::{Error, Result};
use crate::fold::Factors;
use crate::schema::TensorProto;
use crate::schema::tensor_proto::DataType;
use cnn_network::Network;
use cnn_network::tensors::TensorSpec;
use cnn_weights::Weights;
use std::borrow::Cow;

/// A tensor of the file.
pub(crate) struct Tensor<'a> {
    pub(crate) name: String,
    pub(crate) dims: Vec<usize>,
    pub(crate) content: Content<'a>,
}

/// Where its numbers are from.
pub(crate) enum Content<'a> {
    /// These.
    Numbers(Vec<f32>),
    /// These.
    Integers(Vec<i64>),
    /// A tensor of the network as it is.
    Weight(&'a TensorSpec),
    /// Weights of a layer.
    Layer(Layer<'a>),
}

/// Weights of a convolution or linear layer, changed on their way.
pub(crate) struct Layer<'a> {
    /// The tensor.
    pub(crate) spec: &'a TensorSpec,
    /// For each output channel the input channels whose kernels are stored, and how many there are in all.
    pub(crate) table: Option<(&'a [Vec<usize>], usize)>,
    /// What each output channel is multiplied by.
    pub(crate) factors: Option<Factors<'a>>,
}

impl Tensor<'_> {
    /// The message without the numbers.
    pub(crate) fn head(&self) -> TensorProto {
        let data_type = match self.content {
            Content::Integers(_) => DataType::Int64,
            Content::Numbers(_) | Content::Weight(_) | Content::Layer(_) => DataType::Float,
        };
        TensorProto {
            dims: self.dims.iter().map(|dim| signed(*dim)).collect(),
            data_type: Some(data_type as i32),
            name: Some(self.name.clone()),
            raw_data: None,
        }
    }

    /// Bytes of the numbers; [`usize::MAX`] if there are more.
    pub(crate) fn bytes(&self) -> usize {
        let size = match self.content {
            Content::Integers(_) => size_of::<i64>(),
            Content::Numbers(_) | Content::Weight(_) | Content::Layer(_) => size_of::<f32>(),
        };
        self.dims.iter().copied().fold(size, usize::saturating_mul)
    }

    /// Writes the numbers behind what is there.
    pub(crate) fn write(&self, network: &Network, weights: &Weights, out: &mut Vec<u8>) -> Result<()> {
        // The targets are little-endian, as the file is.
        const { assert!(cfg!(target_endian = "little")) };
        match &self.content {
            Content::Numbers(values) => out.extend_from_slice(bytemuck::cast_slice(values)),
            Content::Integers(values) => out.extend_from_slice(bytemuck::cast_slice(values)),
            Content::Weight(spec) => {
                out.extend_from_slice(bytemuck::cast_slice(&weights.numbers_of::<f32>(network, &spec.name)?));
            }
            Content::Layer(layer) => {
                layer.write(weights.numbers_of(network, &layer.spec.name)?, self.channels(), out)?
            }
        }
        Ok(())
    }

    fn channels(&self) -> usize {
        self.dims.first().copied().unwrap_or(0)
    }
}

impl Layer<'_> {
    fn write(&self, mut values: Cow<'_, [f32]>, channels: usize, out: &mut Vec<u8>) -> Result<()> {
        if let Some(factors) = &self.factors {
            let mut rest = values.to_mut().as_mut_slice();
            let even = rest.len() / channels.max(1);
            for (channel, factor) in factors.of.iter().enumerate() {
                let numbers = match self.table {
                    Some((table, _)) => table[channel].len() * self.kernel(),
                    None => even,
                };
                let (row, behind) = rest.split_at_mut(numbers);
                rest = behind;
                for value in row {
                    *value = (f64::from(*value) * factor) as f32;
                    if !value.is_finite() {
                        return Err(factors.problem(&self.spec.name, *value));
                    }
                }
            }
        }
        match self.table {
            None => out.extend_from_slice(bytemuck::cast_slice(&values)),
            Some((table, inputs)) => spread(table, inputs, self.kernel(), &values, out),
        }
        Ok(())
    }

    /// Numbers of one kernel, of a tensor of connections.
    fn kernel(&self) -> usize {
        self.spec.dims.iter().skip(1).product()
    }
}

/// Kernels of a connection table, one a connection, as kernels from all `inputs` with zeros between them.
fn spread(table: &[Vec<usize>], inputs: usize, kernel: usize, values: &[f32], out: &mut Vec<u8>) {
    let mut kernels = values.chunks_exact(kernel.max(1));
    for row in table {
        let begin = out.len();
        let bytes = kernel * size_of::<f32>();
        out.resize(begin + inputs * bytes, 0);
        for (input, numbers) in row.iter().zip(&mut kernels) {
            let at = begin + input * bytes;
            out[at..at + bytes].copy_from_slice(bytemuck::cast_slice(numbers));
        }
    }
}

/// Refuses a number that f32 cannot hold.
pub(crate) fn finite(value: f64, problem: impl FnOnce(f32) -> Error) -> Result<f32> {
    let value = value as f32;
    if value.is_finite() { Ok(value) } else { Err(problem(value)) }
}
