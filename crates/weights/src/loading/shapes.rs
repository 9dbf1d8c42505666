//! The same numbers in another shape: a linear layer as a convolution over its whole input, other input channels.

use super::layers::maps_before;
use crate::error::Result;
use crate::tensor::Tensor;
use cnn_network::Network;
use cnn_network::network::Node;

/// How many numbers an output sees, of a layer's weights of these dimensions.
pub(super) fn seen(dims: &[usize]) -> Option<usize> {
    dims.get(1..).map(|dims| dims.iter().fold(1usize, |n, dim| n.saturating_mul(*dim)))
}

/// Whether a layer's weights of the dimensions `found` are those of `expected`, number by number: one of them a linear
/// layer's `[out, in]`, the other a convolution's over all of the maps that the layer sees, with as many outputs.
pub(super) fn same_numbers(network: &Network, node: &Node, expected: &[usize], found: &[usize]) -> bool {
    let kernel = match (expected, found) {
        ([own, seen], [outs, c, h, w]) | ([own, c, h, w], [outs, seen])
            if own == outs && h.checked_mul(*w).and_then(|plane| plane.checked_mul(*c)) == Some(*seen) =>
        {
            [*c, *h, *w]
        }
        _ => return false,
    };
    let whole = || maps_before(network, node).is_some_and(|maps| maps.dims() == kernel);
    kernel[1..] == [1, 1] || whole()
}

/// The weights of a first convolution, made for three input channels where they were for one, or for one where they were
/// for three. The sums are taken in f64.
pub(super) fn with_channels(name: &str, tensor: &Tensor, expected: &[usize]) -> Result<Tensor> {
    let values = tensor.numbers::<f64>(name)?;
    let plane: usize = expected[2..].iter().product();
    let changed: Vec<f64> = match expected[1] {
        3 => values.chunks(plane.max(1)).flat_map(|one| [one; 3]).flatten().map(|value| value / 3.0).collect(),
        _ => {
            let sums = |three: &[f64]| (0..plane).map(|at| (0..3).map(|c| three[c * plane + at]).sum()).collect();
            values.chunks(3 * plane.max(1)).flat_map(|three| -> Vec<f64> { sums(three) }).collect()
        }
    };
    match tensor.keeps_f64() {
        true => Tensor::new(name, expected, changed),
        false => Tensor::new(name, expected, changed.into_iter().map(|value| value as f32).collect()),
    }
}

/// Whether a first convolution's weights differ in their input channels alone, and these are one and three.
pub(super) fn other_channels(expected: &[usize], found: &[usize]) -> bool {
    matches!((expected, found), ([o, a, kernel @ ..], [p, b, other @ ..])
        if o == p && kernel == other && kernel.len() == 2 && matches!((a, b), (1, 3) | (3, 1)))
}
