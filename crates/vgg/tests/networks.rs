//! The networks against the paper's tables and torchvision's numbers.

use cnn_vgg::cnn_core::initialisation::Init;
use cnn_vgg::cnn_core::{Network, Result};
use cnn_vgg::{Column, NETWORKS, Norm, vgg, vgg_small_d2l, vgg11_d2l};

fn dims(network: &Network, path: &str) -> Result<Vec<usize>> {
    Ok(network.node(network.find(path)?).shape.dims())
}

fn tensor(network: &Network, name: &str) -> Option<Vec<usize>> {
    network.tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.dims.clone())
}

fn count(network: &Network, op: &str) -> usize {
    network.nodes().iter().filter(|node| node.op.name() == op).count()
}

#[test]
fn parameters_and_multiply_accumulates() -> Result<()> {
    let expected = [
        ("vgg11", 132_863_336, 7_609_090_048),
        ("vgg11_bn", 132_868_840, 7_609_090_048),
        ("vgg11_lrn_paper", 132_863_336, 7_609_090_048),
        ("vgg13", 133_047_848, 11_308_466_176),
        ("vgg13_bn", 133_053_736, 11_308_466_176),
        ("vgg16_1x1_paper", 133_638_952, 11_770_888_192),
        ("vgg16", 138_357_544, 15_470_264_320),
        ("vgg16_bn", 138_365_992, 15_470_264_320),
        ("vgg19", 143_667_240, 19_632_062_464),
        ("vgg19_bn", 143_678_248, 19_632_062_464),
        ("vgg11_d2l", 128_806_154, 7_547_232_256),
        ("vgg_small_d2l", 43_093_322, 512_155_648),
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
fn tables_1_and_2_of_the_paper() -> Result<()> {
    for (column, weight_layers, one_by_one, millions) in [
        (Column::A, 11, 0, 133),
        (Column::ALrn, 11, 0, 133),
        (Column::B, 13, 0, 133),
        (Column::C, 16, 3, 134),
        (Column::D, 16, 0, 138),
        (Column::E, 19, 0, 144),
    ] {
        let network = vgg(column, Norm::None, 1000).at_usual_input()?;
        assert_eq!(count(&network, "conv") + count(&network, "linear"), weight_layers, "{column:?}");
        let small = network.tensors().filter(|tensor| tensor.dims.ends_with(&[1, 1])).count();
        assert_eq!(small, one_by_one, "{column:?}");
        assert_eq!((network.summary().parameters + 500_000) / 1_000_000, millions, "{column:?}");
        let pools: Vec<_> =
            network.nodes().iter().filter(|n| n.op.name() == "max_pool").map(|n| n.shape.dims()).collect();
        assert_eq!(pools, [[64, 112, 112], [128, 56, 56], [256, 28, 28], [512, 14, 14], [512, 7, 7]], "{column:?}");
    }
    Ok(())
}

#[test]
fn every_column_is_a_network_of_its_own() {
    let architectures = Column::ALL.map(|column| vgg(column, Norm::None, 10));
    for (i, one) in architectures.iter().enumerate() {
        assert!(architectures[..i].iter().all(|other| other.name() != one.name() && other != one), "{}", one.name());
    }
}

#[test]
fn torchvisions_names() -> Result<()> {
    let plain = vgg(Column::D, Norm::None, 1000).at_usual_input()?;
    assert_eq!(tensor(&plain, "features.28.weight"), Some(vec![512, 512, 3, 3]));
    assert_eq!(tensor(&plain, "classifier.0.weight"), Some(vec![4096, 25088]));
    assert_eq!(tensor(&plain, "classifier.6.bias"), Some(vec![1000]));
    let normalised = vgg(Column::D, Norm::Batch, 1000).at_usual_input()?;
    assert_eq!(tensor(&normalised, "features.40.bias"), Some(vec![512]));
    assert_eq!(tensor(&normalised, "features.41.running_var"), Some(vec![512]));
    let book = vgg_small_d2l(10).at_usual_input()?;
    assert_eq!(tensor(&book, "2.2.weight"), Some(vec![64, 64, 3, 3]));
    assert_eq!(tensor(&book, "12.weight"), Some(vec![10, 4096]));
    Ok(())
}

#[test]
fn local_response_normalisation_stands_behind_the_first_relu() -> Result<()> {
    let network = vgg(Column::ALrn, Norm::None, 1000).at_usual_input()?;
    let first: Vec<&str> = network.nodes().iter().map(|node| node.op.name()).skip(1).take(4).collect();
    assert_eq!(first, ["conv", "relu", "lrn", "max_pool"]);
    assert_eq!(count(&network, "lrn"), 1);
    Ok(())
}

#[test]
fn torchvisions_initialisation() -> Result<()> {
    let network = vgg(Column::A, Norm::None, 1000).at_usual_input()?;
    let init = |name: &str| network.tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.init);
    assert_eq!(init("features.3.weight"), Some(Init::Normal { std: (2.0f64 / (128.0 * 9.0)).sqrt() }));
    assert_eq!(init("features.3.bias"), Some(Init::Constant(0.0)));
    assert_eq!(init("classifier.3.weight"), Some(Init::Normal { std: 0.01 }));
    assert_eq!(init("classifier.3.bias"), Some(Init::Constant(0.0)));
    Ok(())
}

#[test]
fn other_inputs_and_other_classes() -> Result<()> {
    let network = vgg(Column::E, Norm::Batch, 7).at([1, 195, 251])?;
    assert_eq!(dims(&network, "features")?, [512, 6, 7]);
    assert_eq!(dims(&network, "avgpool")?, [512, 7, 7]);
    assert_eq!(dims(&network, "classifier")?, [7]);
    assert_eq!(tensor(&network, "features.0.weight"), Some(vec![64, 1, 3, 3]));
    let network = vgg11_d2l(7).at([3, 96, 64])?;
    assert_eq!(tensor(&network, "0.0.weight"), Some(vec![64, 3, 3, 3]));
    assert_eq!(tensor(&network, "6.weight"), Some(vec![4096, 512 * 3 * 2]));
    Ok(())
}

#[test]
fn an_image_too_small_is_an_error_with_its_node() {
    let message = |network: Result<Network>| network.err().map(|error| error.to_string());
    let last_pool = "features.30: kernel 2×2 exceeds padded input 1×2 (input 1×2)";
    assert_eq!(message(vgg(Column::D, Norm::None, 1000).at([3, 31, 32])).as_deref(), Some(last_pool));
    let third_pool = "2.4: kernel 2×2 exceeds padded input 1×1 (input 1×1)";
    assert_eq!(message(vgg11_d2l(10).at([1, 7, 7])).as_deref(), Some(third_pool));
}
