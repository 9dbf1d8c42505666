//! The oracle: every operation once more, in f64, as the plain loops of its definition.
//!
//! Slow on purpose and sharing no arithmetic with candle or the kernels: whatever else computes a network is held
//! against it. Only small networks and images are practical.

mod ops;
mod window;

use crate::error::{Error, Result};
use crate::network::{Network, NodeId};
use crate::op::Op;
use crate::shape::Shape;
use std::collections::BTreeMap;

/// A batch of values of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Shape of one sample.
    pub shape: Shape,
    /// All samples in their order, each in the order channel, row, column.
    pub values: Vec<f64>,
}

impl Batch {
    /// Number of whole samples.
    pub fn len(&self) -> usize {
        self.values.len() / self.shape.elements()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The samples' values.
    fn samples(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.shape.elements())
    }
}

/// Values of a network's tensors by name, each in row-major order.
pub type Weights = BTreeMap<String, Vec<f64>>;

/// Whether batch normalisation uses the running statistics or the batch's own. Dropout does nothing in either mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Running statistics.
    Evaluation,
    /// The batch's statistics.
    Training,
}

/// The values of every node that one of `targets` needs; the others stay empty.
///
/// # Errors
///
/// A missing tensor, one of the wrong length, an input of another shape or of no whole samples, a target of another network.
pub fn run(
    network: &Network,
    weights: &Weights,
    input: &Batch,
    mode: Mode,
    targets: &[NodeId],
) -> Result<Vec<Option<Batch>>> {
    if input.shape != network.input() {
        let found = input.shape.dims();
        return Err(Error::BatchShape { network: network.name().to_string(), expected: network.input(), found });
    }
    let [numbers, sample] = [input.values.len(), input.shape.elements()];
    if numbers == 0 || !numbers.is_multiple_of(sample) {
        return Err(Error::BatchLength { network: network.name().to_string(), numbers, sample });
    }
    network.check_nodes(targets)?;
    let needed = network.needed_for(targets);
    let mut values: Vec<Option<Batch>> = vec![None; network.nodes().len()];
    for (id, node) in network.nodes().iter().enumerate().filter(|(id, _)| needed[*id]) {
        let inputs: Vec<&Batch> = node.inputs.iter().filter_map(|input| values[input.index()].as_ref()).collect();
        let tensors = node.tensors.iter().map(|spec| {
            let found = weights.get(&spec.name).ok_or_else(|| Error::MissingTensor {
                network: network.name().to_string(),
                name: spec.name.clone(),
                expected: spec.dims.clone(),
                near: Vec::new(),
            })?;
            if found.len() != spec.elements() {
                return Err(Error::TensorShape {
                    network: network.name().to_string(),
                    name: spec.name.clone(),
                    expected: spec.dims.clone(),
                    found: vec![found.len()],
                });
            }
            Ok(found.as_slice())
        });
        let tensors = tensors.collect::<Result<Vec<_>>>()?;
        let computed = match node.op {
            Op::Input => input.values.clone(),
            _ => ops::compute(&node.op, &inputs, &tensors, node.shape, mode),
        };
        values[id] = Some(Batch { shape: node.shape, values: computed });
    }
    Ok(values)
}

/// The main output in evaluation mode.
///
/// # Errors
///
/// As [`run`].
pub fn forward(network: &Network, weights: &Weights, input: &Batch) -> Result<Batch> {
    let logits = network.outputs()[0].node;
    let mut values = run(network, weights, input, Mode::Evaluation, &[logits])?;
    Ok(values.swap_remove(logits.index()).unwrap_or(Batch { shape: network.node(logits).shape, values: Vec::new() }))
}
