//! Convolutions, linear layers, radial basis functions.

use crate::attribute::{integer, integers, signed};
use crate::error::Result;
use crate::fold::{Factors, Folding};
use crate::graph::{Graph, Place};
use crate::tensor::{Content, Layer, Tensor, finite};
use cnn_network::op::Conv;
use cnn_network::tensors::TensorSpec;

/// A convolution.
pub(crate) fn conv<'a>(
    graph: &mut Graph<'a>,
    place: &Place<'a>,
    conv: &'a Conv,
    folding: Option<Folding<'a>>,
) -> Result<()> {
    let window = &conv.window;
    let inputs = place.input.channels();
    let kernel = window.kernel.axes();
    let dims = [place.node.shape.channels(), inputs / conv.groups.max(1), kernel[0], kernel[1]];
    let table = conv.connections.as_deref().map(|table| (table, inputs));
    let [top, left] = window.padding.axes();
    let attributes = vec![
        integers("kernel_shape", &kernel),
        integers("strides", &window.stride.axes()),
        integers("dilations", &window.dilation.axes()),
        integers("pads", &[top, left, top, left]),
        integer("group", signed(conv.groups)),
    ];
    layer(graph, place, "Conv", &dims, table, folding, attributes)
}

/// A linear layer.
pub(crate) fn linear<'a>(graph: &mut Graph<'a>, place: &Place<'a>, folding: Option<Folding<'a>>) -> Result<()> {
    let dims = [place.node.shape.channels(), place.input.channels()];
    layer(graph, place, "Gemm", &dims, None, folding, vec![integer("transB", 1)])
}

fn layer<'a>(
    graph: &mut Graph<'a>,
    place: &Place<'a>,
    op: &str,
    dims: &[usize],
    table: Option<(&'a [Vec<usize>], usize)>,
    folding: Option<Folding<'a>>,
    attributes: Vec<crate::schema::AttributeProto>,
) -> Result<()> {
    let [spec, biases @ ..] = place.node.tensors.as_slice() else { return Ok(()) };
    let bias = match folding {
        None => {
            let content = Content::Layer(Layer { spec, table, factors: None });
            graph.tensors.push(Tensor { name: spec.name.clone(), dims: dims.to_vec(), content });
            biases.first().map(|bias| graph.weight(bias, &bias.dims))
        }
        Some(folding) => {
            let shifts = folding.shifts.clone();
            let factors = folding.into(place.node);
            let values = biases_of(graph, biases.first(), &factors, shifts)?;
            let content = Content::Layer(Layer { spec, table, factors: Some(factors) });
            graph.tensors.push(Tensor { name: spec.name.clone(), dims: dims.to_vec(), content });
            match biases.first() {
                Some(bias) => {
                    let (name, dims) = (bias.name.clone(), bias.dims.clone());
                    graph.tensors.push(Tensor { name: name.clone(), dims, content: Content::Numbers(values) });
                    Some(name)
                }
                None => Some(graph.numbers(&format!("{}.bias", place.node.path), &[values.len()], values)),
            }
        }
    };
    let x = place.x();
    let mut inputs = vec![x.as_str(), &spec.name];
    inputs.extend(bias.as_deref());
    graph.last(op, place, &inputs, attributes);
    Ok(())
}

/// What is added to a layer's channels, with a normalisation folded into it.
fn biases_of(
    graph: &Graph<'_>,
    bias: Option<&TensorSpec>,
    factors: &Factors<'_>,
    shifts: Vec<f64>,
) -> Result<Vec<f32>> {
    let own = bias.map(|bias| graph.weights.numbers_of::<f64>(graph.network, &bias.name)).transpose()?;
    let name = bias.map_or("bias", |bias| bias.name.as_str());
    let added = |channel: usize| own.as_ref().map_or(0.0, |own| own[channel] * factors.of[channel]);
    let sums = shifts.into_iter().enumerate().map(|(channel, shift)| added(channel) + shift);
    sums.map(|sum| finite(sum, |found| factors.problem(name, found))).collect()
}

/// `yᵢ = −Σⱼ (xⱼ − cᵢⱼ)²`.
pub(crate) fn radial_basis(graph: &mut Graph<'_>, place: &Place<'_>, centres: &[Vec<f64>]) {
    let dims = [centres.len(), place.input.channels()];
    let centres = centres.iter().flatten().map(|entry| *entry as f32).collect();
    let centres = graph.numbers(&place.inner("centres"), &dims, centres);
    let axis = graph.integers(&place.inner("axis"), vec![1]);
    let row = graph.step("Unsqueeze", place, "row", &[&place.x(), &axis], Vec::new());
    let differences = graph.step("Sub", place, "differences", &[&row, &centres], Vec::new());
    let squares = graph.step("Mul", place, "squares", &[&differences, &differences], Vec::new());
    let last = graph.integers(&place.inner("last"), vec![2]);
    let sum = graph.step("ReduceSum", place, "sum", &[&squares, &last], vec![integer("keepdims", 0)]);
    graph.last("Neg", place, &[&sum], Vec::new());
}
