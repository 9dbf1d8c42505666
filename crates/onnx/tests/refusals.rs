//! What cannot be exported is refused in a sentence.

use cnn_network::Network;
use cnn_network::definition::{batch_norm, chain, conv, linear, max_pool};
use cnn_onnx::schema::tensor_shape_proto::dimension::Value;
use cnn_onnx::schema::{ModelProto, ValueInfoProto, type_proto};
use cnn_onnx::{About, Export, Pixels};
use cnn_weights::{Tensor, Weights};
use prost::Message;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn small() -> Outcome<(Network, Weights)> {
    let body = chain().then("conv", conv(3).out(2)).then("bn", batch_norm()).global_avg_pool().then("fc", linear(3));
    let network = body.named("small", [1, 4, 4]).at_usual_input()?;
    let weights = Weights::initialised(&network, 1);
    Ok((network, weights))
}

fn problem(network: &Network, weights: &Weights, export: &Export) -> String {
    export.to_bytes(network, weights).map(|bytes| format!("{} bytes", bytes.len())).unwrap_or_else(|e| e.to_string())
}

#[test]
fn names_and_statistics_must_fit() -> Outcome {
    let (network, weights) = small()?;
    let with = |about: About, normalise| problem(&network, &weights, &Export { about, normalise, ..Export::default() });
    let about = About { classes: vec!["a".to_string()], ..About::default() };
    assert_eq!(with(about, None), "small gives 3 scores, but 1 class name is given");
    let statistics = |mean: &[f32], std: &[f32]| About { mean: mean.to_vec(), std: std.to_vec(), ..About::default() };
    let expected = "small reads 1 channel, but 3 means and 1 deviation are given";
    assert_eq!(with(statistics(&[0.0; 3], &[1.0]), None), expected);
    let expected = "small reads 1 channel, but 0 means and 0 deviations are given";
    assert_eq!(with(About::default(), Some(Pixels::Unit)), expected);
    for (mean, deviation) in [(0.0, 0.0), (0.0, -1.0), (f32::NAN, 1.0), (0.0, f32::INFINITY), (3e38, 1e-3)] {
        let found = with(statistics(&[mean], &[deviation]), Some(Pixels::Bytes));
        assert_eq!(found, format!("an input is not normalised by the mean {mean} and the deviation {deviation}"));
    }
    Ok(())
}

#[test]
fn weights_must_be_the_networks() -> Outcome {
    let (network, mut weights) = small()?;
    let fold = Export { fold: true, ..Export::default() };
    let put = |weights: &mut Weights, name: &str, values: Vec<f32>| -> Outcome {
        let dims = network.tensor(name).ok_or("no such tensor")?.dims.clone();
        weights.insert(name, Tensor::new(name, &dims, values)?);
        Ok(())
    };
    put(&mut weights, "fc.bias", vec![0.0, f32::NAN, 0.0])?;
    let expected = "the weights: tensor fc.bias holds NaN at position 1, which is no weight";
    assert_eq!(problem(&network, &weights, &Export::default()), expected);
    put(&mut weights, "fc.bias", vec![0.0; 3])?;

    put(&mut weights, "bn.running_var", vec![-1.0, 1.0])?;
    for export in [&Export::default(), &fold] {
        let found = problem(&network, &weights, export);
        assert!(found.starts_with("the weights: tensor bn.running_var holds -1 at position 0; "), "{found}");
    }
    // A normalisation that f32 cannot take in is refused.
    put(&mut weights, "bn.running_var", vec![0.0, 1.0])?;
    put(&mut weights, "bn.weight", vec![3e38, 1.0])?;
    let found = problem(&network, &weights, &fold);
    assert!(found.starts_with("conv: with bn folded into it, tensor conv."), "{found}");
    assert!(found.ends_with(", which is no weight; export without folding"), "{found}");

    weights.remove("conv.weight");
    assert_eq!(problem(&network, &weights, &fold), "small: the weights have no tensor conv.weight (expected 2×1×3×3)");
    Ok(())
}

#[test]
fn a_file_beyond_two_gigabytes_is_refused_before_it_is_made() -> Outcome {
    // A table of one connection each, which the file spells out with zeros: 16384² kernels.
    let table = vec![vec![0]; 1 << 14];
    let body = chain().then("table", conv([1, 3]).connections(table));
    let network = body.named("wide", [1 << 14, 1, 3]).at_usual_input()?;
    let weights = Weights::initialised(&network, 1);
    let found = problem(&network, &weights, &Export::default());
    let expected =
        "wide would be an ONNX file of 3.22 GB, but 2.15 GB are the most; as safetensors it can be of any size";
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn names_that_collide_are_told_apart() -> Outcome {
    let body = chain().then("logits", conv(1).out(2)).then("logits.weight", batch_norm()).then("last", batch_norm());
    let network = body.named("names", [2, 2, 2]).at_usual_input()?;
    let weights = Weights::initialised(&network, 1);
    let model = ModelProto::decode(Export::default().to_bytes(&network, &weights)?.as_slice())?;
    let graph = model.graph.ok_or("no graph")?;
    let tensors = graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref());
    let mut names: Vec<&str> = graph.node.iter().flat_map(|node| &node.output).map(String::as_str).collect();
    assert_eq!(names, ["logits_", "logits.weight_", "logits"]);
    names.extend(tensors);
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
    Ok(())
}

/// A value's name and dimensions.
fn described(value: &ValueInfoProto) -> (&str, String) {
    let dims = match value.r#type.as_ref().and_then(|r#type| r#type.value.as_ref()) {
        Some(type_proto::Value::TensorType(tensor)) => tensor.shape.iter().flat_map(|shape| &shape.dim).collect(),
        _ => Vec::new(),
    };
    let dims = dims.into_iter().map(|dim| match &dim.value {
        Some(Value::DimValue(dim)) => dim.to_string(),
        Some(Value::DimParam(name)) => name.clone(),
        None => String::new(),
    });
    (value.name(), dims.collect::<Vec<_>>().join("×"))
}

#[test]
fn what_does_nothing_and_what_ends_in_a_softmax_has_outputs_all_the_same() -> Outcome {
    let nothing = chain().dropout(0.5).named("nothing", [1, 2, 2]);
    let softmax = chain().flatten().softmax().dropout(0.5).named("softmax", [1, 2, 2]);
    let flattened = chain().and(max_pool(2)).softmax().dropout(0.5).flatten().named("flattened", [3, 2, 2]);
    let averaged = chain().softmax().global_avg_pool().named("averaged", [3, 2, 2]);
    for (architecture, ops, outputs) in [
        (nothing, vec!["Identity"], vec![("logits", "N×1×2×2")]),
        (softmax, vec!["Flatten", "Softmax"], vec![("logits", "N×4"), ("probabilities", "N×4")]),
        (
            flattened,
            vec!["MaxPool", "Softmax", "Flatten", "Flatten"],
            vec![("logits", "N×3"), ("probabilities", "N×3")],
        ),
        (averaged, vec!["Softmax", "GlobalAveragePool", "Flatten"], vec![("probabilities", "N×3")]),
    ] {
        let network = architecture.at_usual_input()?;
        for probabilities in [false, true] {
            let export = Export { probabilities, ..Export::default() };
            let model = ModelProto::decode(export.to_bytes(&network, &Weights::new())?.as_slice())?;
            let graph = model.graph.ok_or("no graph")?;
            let found: Vec<&str> = graph.node.iter().filter_map(|node| node.op_type.as_deref()).collect();
            let added = if probabilities && network.name() == "nothing" { vec!["Softmax"] } else { Vec::new() };
            assert_eq!(found, [ops.clone(), added].concat());
            let shapes: Vec<(&str, String)> = graph.output.iter().map(described).collect();
            let shapes: Vec<(&str, &str)> = shapes.iter().map(|(name, shape)| (*name, shape.as_str())).collect();
            assert_eq!(shapes[..outputs.len()], outputs);
            let edges: Vec<&str> = graph.node.iter().flat_map(|node| &node.output).map(String::as_str).collect();
            assert!(shapes.iter().all(|(name, _)| edges.contains(name)), "{edges:?}");
        }
    }
    Ok(())
}
