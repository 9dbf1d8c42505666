//! The networks against their papers: parameters, multiply-accumulates, shapes, names, initialisation.

use cnn_alexnet::cnn_core::initialisation::Init;
use cnn_alexnet::cnn_core::{Network, Result};
use cnn_alexnet::{alexnet, alexnet_d2l, alexnet_paper, alexnet_paper_pool_lrn};

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
        assert_eq!(
            network.tensor(&format!("{layer}.weight")).map(|tensor| tensor.dims.clone()),
            Some(kernel),
            "{layer}"
        );
        assert_eq!(network.node_at(layer)?.shape.dims(), output, "{layer}");
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
            assert_eq!(network.node_at(path)?.shape.dims()[1..], [size, size], "{} {path}", network.name());
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
    assert_eq!(network.node_at("features")?.shape.dims(), [256, 5, 6]);
    assert_eq!(network.node_at("classifier")?.shape.dims(), [7]);
    assert_eq!(network.tensor("features.0.weight").map(|tensor| tensor.dims.clone()), Some(vec![64, 1, 11, 11]));
    let network = alexnet_d2l(7).at([3, 224, 256])?;
    assert_eq!(network.tensor("0.weight").map(|tensor| tensor.dims.clone()), Some(vec![96, 3, 11, 11]));
    assert_eq!(network.tensor("14.weight").map(|tensor| tensor.dims.clone()), Some(vec![4096, 256 * 5 * 6]));
    Ok(())
}
