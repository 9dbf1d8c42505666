//! What a plan says of its steps.

use super::lower::{Step, Value};
use super::options::Numeric;
use cnn_kernels::Conv;
use cnn_kernels::inference::{ConvAlgorithm, Products, cost};
use cnn_network::Network;
use std::time::Duration;

/// A step of a plan.
#[derive(Clone, Debug)]
pub struct StepReport<'a> {
    /// The node it begins with.
    pub path: &'a str,
    /// What computes it.
    pub algorithm: &'static str,
    /// Multiplications and additions of the definition, of one image.
    pub flops: f64,
    /// Bytes of its weights, as they are packed.
    pub weight_bytes: usize,
    /// Bytes of one image that it reads and writes, each value once, as numbers of the plan's kind.
    pub value_bytes: usize,
    /// What its products are of; a plan of narrow numbers has products of `f32` too.
    pub products: Numeric,
    /// Time that is predicted for the usual batch; of convolutions alone, in `f32` and `bf16`.
    pub predicted: Option<Duration>,
    /// Time that was measured.
    pub measured: Duration,
    /// In `bf16` and `int8`, why it is computed in `f32`, if it is.
    pub in_f32: Option<&'static str>,
}

/// What is known of a step once it is made.
#[derive(Clone, Debug)]
pub(super) struct About {
    /// The node it begins with.
    pub(super) node: usize,
    pub(super) algorithm: &'static str,
    /// Multiplications of the definition, of one image.
    pub(super) macs: usize,
    pub(super) weight_bytes: usize,
    pub(super) value_bytes: usize,
    pub(super) products: Numeric,
    /// The convolution whose time is predicted, and its output's height and width.
    pub(super) predicted: Option<((ConvAlgorithm, Products), Conv, [usize; 2])>,
    pub(super) in_f32: Option<&'static str>,
}

impl About {
    /// A step without products.
    pub(super) fn other(node: usize, algorithm: &'static str) -> Self {
        let products = Numeric::F32;
        Self { node, algorithm, macs: 0, weight_bytes: 0, value_bytes: 0, products, predicted: None, in_f32: None }
    }

    /// A copy of a value as real numbers.
    pub(super) fn moves(node: usize, value: &Value) -> Self {
        Self { value_bytes: Self::bytes::<f32>(value), ..Self::other(node, "copy or sum") }
    }

    /// Bytes of a value of one image.
    pub(super) fn bytes<T>(value: &Value) -> usize {
        size_of::<T>() * value.channels * value.size[0] * value.size[1]
    }

    /// Bytes of what a step reads and writes of one image.
    pub(super) fn moved<T>(step: &Step) -> usize {
        step.reads().chain([&step.output]).map(Self::bytes::<T>).sum()
    }

    /// With the time it took.
    pub(super) fn report<'n>(&self, network: &'n Network, batch: usize, measured: Duration) -> StepReport<'n> {
        let predicted = self.predicted.as_ref();
        StepReport {
            path: &network.nodes()[self.node].path,
            algorithm: self.algorithm,
            flops: 2.0 * self.macs as f64,
            weight_bytes: self.weight_bytes,
            value_bytes: self.value_bytes,
            products: self.products,
            predicted: predicted.map(|(by, conv, size)| Duration::from_nanos(cost(*by, conv, *size, batch) as u64)),
            measured,
            in_f32: self.in_f32,
        }
    }
}
