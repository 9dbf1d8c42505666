//! Activations, factors and shifts, and what only arranges values.

use crate::attribute::{integer, signed, text};
use crate::graph::{Graph, Place};

/// `amplitude · tanh(slope · x)`, without products by 1.
pub(crate) fn tanh(graph: &mut Graph<'_>, place: &Place<'_>, amplitude: f64, slope: f64) {
    let mut x = place.x();
    if slope != 1.0 {
        let slope = graph.numbers(&place.inner("slope"), &[], vec![slope as f32]);
        x = graph.step("Mul", place, "scaled", &[&x, &slope], Vec::new());
    }
    if amplitude == 1.0 {
        graph.last("Tanh", place, &[&x], Vec::new());
        return;
    }
    let bent = graph.step("Tanh", place, "tanh", &[&x], Vec::new());
    let amplitude = graph.numbers(&place.inner("amplitude"), &[], vec![amplitude as f32]);
    graph.last("Mul", place, &[&bent, &amplitude], Vec::new());
}

/// `eˣ / Σ eˣ` over channels.
pub(crate) fn softmax(graph: &mut Graph<'_>, name: &str, input: &str, output: &str) {
    graph.node("Softmax", name, &[input], output, vec![integer("axis", 1)]);
}

/// Maps as one vector.
pub(crate) fn flatten(graph: &mut Graph<'_>, place: &Place<'_>) {
    graph.last("Flatten", place, &[&place.x()], vec![integer("axis", 1)]);
}

/// Every element times a constant.
pub(crate) fn scale(graph: &mut Graph<'_>, place: &Place<'_>, factor: f64) {
    let factor = graph.numbers(&place.inner("factor"), &[], vec![factor as f32]);
    graph.last("Mul", place, &[&place.x(), &factor], Vec::new());
}

/// Channels of zeros.
pub(crate) fn zero_channels(graph: &mut Graph<'_>, place: &Place<'_>, before: usize, after: usize) {
    let axes = place.input.dims().len() + 1;
    let mut pads = vec![0; 2 * axes];
    pads[1] = signed(before);
    pads[axes + 1] = signed(after);
    let pads = graph.integers(&place.inner("pads"), pads);
    graph.last("Pad", place, &[&place.x(), &pads], vec![text("mode", "constant")]);
}

/// A trained factor and shift per channel.
pub(crate) fn channel_affine<'a>(graph: &mut Graph<'a>, place: &Place<'a>) {
    let [factor, shift] = place.node.tensors.as_slice() else { return };
    let dims = per_channel(place);
    let factor = graph.weight(factor, &dims);
    let shift = graph.weight(shift, &dims);
    affine(graph, place, &factor, &shift);
}

/// A constant factor and shift per channel.
pub(crate) fn input_affine(graph: &mut Graph<'_>, place: &Place<'_>, scale: &[f64], shift: &[f64]) {
    let dims = per_channel(place);
    let numbers = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
    let factor = graph.numbers(&place.inner("factor"), &dims, numbers(scale));
    let shift = graph.numbers(&place.inner("shift"), &dims, numbers(shift));
    affine(graph, place, &factor, &shift);
}

fn affine(graph: &mut Graph<'_>, place: &Place<'_>, factor: &str, shift: &str) {
    let scaled = graph.step("Mul", place, "scaled", &[&place.x(), factor], Vec::new());
    graph.last("Add", place, &[&scaled, shift], Vec::new());
}

/// Dimensions of one number a channel, beside an input of `place`.
fn per_channel(place: &Place<'_>) -> Vec<usize> {
    let mut dims = vec![1; place.input.dims().len()];
    dims[0] = place.input.channels();
    dims
}

/// The sum of all inputs.
pub(crate) fn sum(graph: &mut Graph<'_>, place: &Place<'_>) {
    let inputs: Vec<&str> = place.inputs.iter().map(String::as_str).collect();
    graph.last(if inputs.len() == 2 { "Add" } else { "Sum" }, place, &inputs, Vec::new());
}

/// All inputs, one after the other.
pub(crate) fn concat(graph: &mut Graph<'_>, place: &Place<'_>) {
    let inputs: Vec<&str> = place.inputs.iter().map(String::as_str).collect();
    graph.last("Concat", place, &inputs, vec![integer("axis", 1)]);
}
