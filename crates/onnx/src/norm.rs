//! Batch normalisation and local response normalisation.

use crate::attribute::{integer, integers, number, signed};
use crate::graph::{Graph, Place};
use cnn_network::op::{BatchNorm, Lrn};

/// Batch normalisation with its running statistics.
pub(crate) fn batch<'a>(graph: &mut Graph<'a>, place: &Place<'a>, settings: &BatchNorm) {
    let mut inputs = vec![place.x()];
    inputs.extend(place.node.tensors.iter().map(|spec| graph.weight(spec, &spec.dims)));
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    graph.last("BatchNormalization", place, &inputs, vec![number("epsilon", settings.eps)]);
}

/// Local response normalisation.
pub(crate) fn local_response(graph: &mut Graph<'_>, place: &Place<'_>, lrn: &Lrn) {
    // ONNX divides by the size.
    let alpha = lrn.alpha * lrn.size as f64;
    if lrn.size % 2 == 1 {
        let attributes = vec![
            integer("size", signed(lrn.size)),
            number("alpha", alpha),
            number("beta", lrn.beta),
            number("bias", lrn.k),
        ];
        graph.last("LRN", place, &[&place.x()], attributes);
    } else {
        of_even_size(graph, place, lrn, alpha);
    }
}

/// ONNX's `LRN` of an even size has the extra channel behind the centre, and some runtimes have none: here the mean over
/// channels is an average pool, with the channels for rows.
fn of_even_size(graph: &mut Graph<'_>, place: &Place<'_>, lrn: &Lrn, alpha: f64) {
    let x = place.x();
    let dims: Vec<i64> = place.input.dims().into_iter().map(signed).collect();
    let (channels, positions) = (dims[0], dims[1..].iter().product());
    let squares = graph.step("Mul", place, "squares", &[&x, &x], Vec::new());
    // 0 is as many as there were: the images.
    let as_rows = graph.integers(&place.inner("as_rows"), vec![0, 1, channels, positions]);
    let rows = graph.step("Reshape", place, "rows", &[&squares, &as_rows], Vec::new());
    let attributes = vec![
        integers("kernel_shape", &[lrn.size, 1]),
        integers("strides", &[1, 1]),
        integers("pads", &[lrn.size / 2, 0, (lrn.size - 1) / 2, 0]),
        integer("count_include_pad", 1),
    ];
    let means = graph.step("AveragePool", place, "means", &[&rows], attributes);
    let as_maps = graph.integers(&place.inner("as_maps"), [&[0], dims.as_slice()].concat());
    let maps = graph.step("Reshape", place, "maps", &[&means, &as_maps], Vec::new());
    let constant = |graph: &mut Graph<'_>, what, value: f64| graph.numbers(&place.inner(what), &[], vec![value as f32]);
    let [alpha, k, beta] = [("alpha", alpha), ("k", lrn.k), ("beta", lrn.beta)].map(|(w, v)| constant(graph, w, v));
    let scaled = graph.step("Mul", place, "scaled", &[&maps, &alpha], Vec::new());
    let sums = graph.step("Add", place, "sums", &[&scaled, &k], Vec::new());
    let divisors = graph.step("Pow", place, "divisors", &[&sums, &beta], Vec::new());
    graph.last("Div", place, &[&x, &divisors], Vec::new());
}
