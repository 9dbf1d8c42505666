//! What must hold of the graph of every network.

use crate::export::Export;
use crate::graph::Graph;
use crate::lower::lower;
use crate::schema::NodeProto;
use crate::tensor::Content;
use cnn_network::{Network, Op};
use cnn_weights::{Tensor, Weights};
use std::collections::BTreeSet;

/// Operators of the files. Each is in every runtime that they are tried in.
const OPERATORS: [&str; 15] = [
    "Conv",
    "Gemm",
    "BatchNormalization",
    "LRN",
    "Relu",
    "Sigmoid",
    "Tanh",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "MatMul",
    "Flatten",
    "Add",
    "Concat",
    "Pad",
];
/// And of LeCun's LeNet and `transform_input` alone.
const RARE: [&str; 5] = ["Mul", "Unsqueeze", "Sub", "ReduceSum", "Neg"];

/// Vectors of ones: what folding reads.
fn vectors(network: &Network) -> Weights {
    let mut weights = Weights::new();
    for spec in network.tensors().filter(|spec| spec.dims.len() == 1) {
        let ones = Tensor::new(&spec.name, &spec.dims, vec![1.0f32; spec.elements()]).expect("as many as there are");
        weights.insert(&spec.name, ones);
    }
    weights
}

#[test]
fn every_network_is_well_formed_at_even_and_odd_sizes() {
    for entry in cnn_zoo::all() {
        let architectures = [Some(entry.architecture(10)), entry.transformed(10)];
        for architecture in architectures.into_iter().flatten() {
            let [channels, height, width] = architecture.usual_input();
            let odd = [channels, height + 1, width + 3];
            let networks = [[channels, height, width], odd].map(|shape| architecture.at(shape));
            assert!(networks[0].is_ok());
            for network in networks.into_iter().flatten() {
                for fold in [false, true] {
                    let weights = vectors(&network);
                    let export = Export { fold, ..Export::default() };
                    let graph = lower(&network, &weights, &export).expect("ones are weights");
                    check(&network, &graph);
                    if fold {
                        assert!(no_partner_is_left(&graph), "{}", network.name());
                    }
                }
            }
        }
    }
}

fn check(network: &Network, graph: &Graph<'_>) {
    let mut known: BTreeSet<&str> = graph.inputs.iter().filter_map(|value| value.name.as_deref()).collect();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for tensor in &graph.tensors {
        assert!(known.insert(&tensor.name), "{}: {} twice", network.name(), tensor.name);
        let elements: usize = tensor.dims.iter().product();
        match &tensor.content {
            Content::Numbers(values) => assert_eq!(values.len(), elements),
            Content::Integers(values) => assert_eq!(values.len(), elements),
            Content::Weight(spec) => assert_eq!(spec.elements(), elements),
            Content::Layer(layer) => match layer.table {
                None => assert_eq!(layer.spec.dims, tensor.dims),
                Some((table, inputs)) => assert_eq!(tensor.dims[..2], [table.len(), inputs]),
            },
        }
    }
    for node in &graph.nodes {
        let (op, name) = (node.op_type.as_deref().unwrap_or_default(), node.name.as_deref().unwrap_or_default());
        assert!(OPERATORS.contains(&op) || RARE.contains(&op), "{}: {op} {name}", network.name());
        assert!(names.insert(name), "{}: {name} twice", network.name());
        for input in &node.input {
            assert!(known.contains(input.as_str()), "{}: {name} reads {input}", network.name());
            used.insert(input);
        }
        for output in &node.output {
            assert!(known.insert(output), "{}: {output} twice", network.name());
        }
        assert_eq!(attribute(node, "ceil_mode"), None);
        assert_eq!(attribute(node, "count_include_pad").is_some(), op == "AveragePool", "{name}");
    }
    assert!(graph.tensors.iter().all(|tensor| used.contains(tensor.name.as_str())));
    for output in &graph.outputs {
        assert!(known.contains(output.name.as_deref().unwrap_or_default()));
    }
    // Nothing of a head, and every other tensor or what became of it.
    let heads = network.nodes().iter().filter(|node| node.head.is_some());
    for spec in heads.flat_map(|node| &node.tensors) {
        assert!(!known.contains(spec.name.as_str()));
    }
    let layers = network.nodes().iter().filter(|node| node.head.is_none() && !matches!(node.op, Op::BatchNorm(_)));
    for spec in layers.flat_map(|node| &node.tensors) {
        assert!(known.contains(spec.name.as_str()), "{}: {} is missing", network.name(), spec.name);
    }
}

fn attribute(node: &NodeProto, name: &str) -> Option<i64> {
    node.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name)).map(|a| a.i.unwrap_or_default())
}

/// Whether no normalisation reads a layer that nothing else reads.
fn no_partner_is_left(graph: &Graph<'_>) -> bool {
    let is = |node: &NodeProto, ops: &[&str]| ops.contains(&node.op_type.as_deref().unwrap_or_default());
    let readers = |value: &str| graph.nodes.iter().filter(|node| node.input.iter().any(|input| input == value)).count();
    let layers = graph.nodes.iter().filter(|node| is(node, &["Conv", "Gemm"]) && readers(&node.output[0]) == 1);
    let read: BTreeSet<&str> = layers.map(|layer| layer.output[0].as_str()).collect();
    !graph.nodes.iter().any(|node| is(node, &["BatchNormalization"]) && read.contains(node.input[0].as_str()))
}
