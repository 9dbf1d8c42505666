//! Batch normalisation as a part of the layer before it.

use crate::error::{Error, Result};
use cnn_network::network::Node;
use cnn_network::tensors::TensorSpec;
use cnn_network::{Network, Op};
use cnn_weights::Weights;

/// A normalisation in evaluation: what each channel is multiplied by, and what is added then.
pub(crate) struct Folding<'a> {
    pub(crate) norm: &'a Node,
    pub(crate) factors: Vec<f64>,
    pub(crate) shifts: Vec<f64>,
}

/// What each output channel of a layer is multiplied by.
pub(crate) struct Factors<'a> {
    pub(crate) of: Vec<f64>,
    layer: &'a str,
    norm: &'a str,
}

impl Factors<'_> {
    /// A number of the tensor `name` that f32 cannot hold.
    pub(crate) fn problem(&self, name: &str, found: f32) -> Error {
        let (layer, norm) = (self.layer.to_string(), self.norm.to_string());
        Error::Folded { layer, norm, name: name.to_string(), found }
    }
}

impl<'a> Folding<'a> {
    /// The normalisation `norm` as a factor and a shift; `None` where it is not one, since it divides by no positive
    /// number.
    pub(crate) fn of(network: &Network, weights: &Weights, norm: &'a Node) -> Result<Option<Self>> {
        let (Op::BatchNorm(settings), [weight, bias, mean, variance]) = (&norm.op, norm.tensors.as_slice()) else {
            return Ok(None);
        };
        let numbers = |spec: &TensorSpec| weights.numbers_of::<f64>(network, &spec.name);
        let (weight, bias, mean, variance) = (numbers(weight)?, numbers(bias)?, numbers(mean)?, numbers(variance)?);
        let each = weight.iter().zip(variance.iter());
        let factors: Vec<f64> = each.map(|(weight, variance)| weight / (variance + settings.eps).sqrt()).collect();
        let shifts = bias.iter().zip(mean.iter()).zip(&factors).map(|((bias, mean), factor)| bias - mean * factor);
        let shifts: Vec<f64> = shifts.collect();
        let all_finite = factors.iter().chain(&shifts).all(|number| number.is_finite());
        Ok(all_finite.then_some(Self { norm, factors, shifts }))
    }

    /// The factors, as a part of `layer`.
    pub(crate) fn into(self, layer: &'a Node) -> Factors<'a> {
        Factors { of: self.factors, layer: &layer.path, norm: &self.norm.path }
    }
}

/// For each node the position of the normalisation that it can take in: its only reader, behind a convolution or a linear
/// layer. `origins` says for each node whose value it gives.
pub(crate) fn partners(network: &Network, needed: &[bool], origins: &[usize]) -> Vec<Option<usize>> {
    let mut readers = vec![0usize; network.nodes().len()];
    let mut partners = vec![None; network.nodes().len()];
    readers[origins[network.outputs()[0].node.index()]] += 1;
    for (index, node) in network.nodes().iter().enumerate() {
        // What only passes a value on has that value's readers.
        if !needed[index] || origins[index] != index {
            continue;
        }
        for input in &node.inputs {
            let read = origins[input.index()];
            readers[read] += 1;
            let layer = matches!(network.nodes()[read].op, Op::Conv(_) | Op::Linear(_));
            if layer && matches!(node.op, Op::BatchNorm(_)) {
                partners[read] = Some(index);
            }
        }
    }
    partners.into_iter().zip(readers).map(|(partner, readers)| partner.filter(|_| readers == 1)).collect()
}
