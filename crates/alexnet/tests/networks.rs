//! The networks against their papers: parameters, multiply-accumulates, shapes, names, initialisation.

use cnn_alexnet::cnn_core::initialisation::Init;
use cnn_alexnet::cnn_core::{Network, Result};
use cnn_alexnet::{NETWORKS, alexnet, alexnet_d2l, alexnet_paper, alexnet_paper_pool_lrn};

fn dims(network: &Network, path: &str) -> Result<Vec<usize>> {
    Ok(network.node(network.find(path)?).shape.dims())
}

fn tensor(network: &Network, name: &str) -> Option<Vec<usize>> {
    network.tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.dims.clone())
}

#[test]
fn parameters_and_multiply_accumulates() -> Result<()> {
    let expected = [
        ("alexnet", 61_100_840, 714_188_480),
        ("alexnet_paper", 60_965_224, 724_406_816),
        ("alexnet_paper_pool_lrn", 60_965_224, 724_406_816),
        ("alexnet_d2l", 46_764_746, 938_146_176),
    ];
    assert_eq!(NETWORKS.len(), expected.len());
    for ((name, classes, define), (expected_name, parameters, macs)) in NETWORKS.iter().zip(expected) {
        let network = define(*classes).at_usual_input()?;
        let summary = network.summary();
        assert_eq!((*name, network.name()), (expected_name, expected_name));
        assert_eq!((summary.parameters, summary.macs), (parameters, macs), "{name}");
        let three = define(3).at_usual_input()?;
        assert_eq!(three.node(three.outputs()[0].node).shape.dims(), [3], "{name}");
    }
    Ok(())
}

#[test]
fn the_layers_of_the_papers_figure_2() -> Result<()> {
    let network = alexnet_paper(1000).at_usual_input()?;
    // Neurons as the figure's caption counts them, but for the first layer, where it has 253,440.
    for (layer, kernel, output, neurons) in [
        ("features.0", vec![96, 3, 11, 11], vec![96, 55, 55], 290_400),
        ("features.4", vec![256, 48, 5, 5], vec![256, 27, 27], 186_624),
        ("features.8", vec![384, 256, 3, 3], vec![384, 13, 13], 64_896),
        ("features.10", vec![384, 192, 3, 3], vec![384, 13, 13], 64_896),
        ("features.12", vec![256, 192, 3, 3], vec![256, 13, 13], 43_264),
        ("classifier.1", vec![4096, 9216], vec![4096], 4096),
        ("classifier.4", vec![4096, 4096], vec![4096], 4096),
        ("classifier.6", vec![1000, 4096], vec![1000], 1000),
    ] {
        assert_eq!(tensor(&network, &format!("{layer}.weight")), Some(kernel), "{layer}");
        assert_eq!(dims(&network, layer)?, output, "{layer}");
        assert_eq!(output.iter().product::<usize>(), neurons, "{layer}");
    }
    Ok(())
}

#[test]
fn maps_after_each_pool() -> Result<()> {
    for (network, pools) in [
        (alexnet(1000), [("features.2", 27), ("features.5", 13), ("features.12", 6)]),
        (alexnet_paper(1000), [("features.3", 27), ("features.7", 13), ("features.14", 6)]),
        (alexnet_paper_pool_lrn(1000), [("features.2", 27), ("features.6", 13), ("features.14", 6)]),
        (alexnet_d2l(10), [("2", 26), ("5", 12), ("12", 5)]),
    ] {
        let network = network.at_usual_input()?;
        for (path, size) in pools {
            assert_eq!(dims(&network, path)?[1..], [size, size], "{} {path}", network.name());
            assert_eq!(network.node(network.find(path)?).op.name(), "max_pool", "{} {path}", network.name());
        }
    }
    Ok(())
}

#[test]
fn normalisation_stands_before_the_pool_in_the_paper() -> Result<()> {
    let order =
        |network: Network| -> Vec<&str> { network.nodes().iter().map(|node| node.op.name()).skip(1).take(8).collect() };
    let paper = order(alexnet_paper(1000).at_usual_input()?);
    assert_eq!(paper, ["conv", "relu", "lrn", "max_pool", "conv", "relu", "lrn", "max_pool"]);
    let exchanged = order(alexnet_paper_pool_lrn(1000).at_usual_input()?);
    assert_eq!(exchanged, ["conv", "relu", "max_pool", "lrn", "conv", "relu", "max_pool", "lrn"]);
    Ok(())
}

#[test]
fn the_papers_initialisation() -> Result<()> {
    let network = alexnet_paper(1000).at_usual_input()?;
    for tensor in network.tensors() {
        let path = tensor.name.trim_end_matches(".bias");
        let ones = ["features.4", "features.10", "features.12", "classifier.1", "classifier.4"];
        let expected = match tensor.name.ends_with(".bias") {
            false => Init::Normal { std: 0.01 },
            true => Init::Constant(if ones.contains(&path) { 1.0 } else { 0.0 }),
        };
        assert_eq!(tensor.init, expected, "{}", tensor.name);
    }
    Ok(())
}

#[test]
fn other_inputs_and_other_classes() -> Result<()> {
    let network = alexnet(7).at([1, 195, 251])?;
    assert_eq!(dims(&network, "features")?, [256, 5, 6]);
    assert_eq!(dims(&network, "classifier")?, [7]);
    assert_eq!(tensor(&network, "features.0.weight"), Some(vec![64, 1, 11, 11]));
    let network = alexnet_d2l(7).at([3, 224, 256])?;
    assert_eq!(tensor(&network, "0.weight"), Some(vec![96, 3, 11, 11]));
    assert_eq!(tensor(&network, "14.weight"), Some(vec![4096, 256 * 5 * 6]));
    Ok(())
}

#[test]
fn an_image_too_small_is_an_error_with_its_node() {
    let message = |network: Result<Network>| network.err().map(|error| error.to_string());
    let pool = "features.12: kernel 3×3 exceeds padded input 2×2 (input 2×2)";
    assert_eq!(message(alexnet(1000).at([3, 62, 62])).as_deref(), Some(pool));
    let first = "0: kernel 11×11 exceeds padded input 10×10 (input 8×8)";
    assert_eq!(message(alexnet_d2l(10).at([1, 8, 8])).as_deref(), Some(first));
}
