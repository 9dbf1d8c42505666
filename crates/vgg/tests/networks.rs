//! The networks against the paper's tables and torchvision's numbers.

use cnn_vgg::cnn_core::initialisation::Init;
use cnn_vgg::cnn_core::{Network, Result};
use cnn_vgg::{Column, Norm, vgg, vgg_small_d2l, vgg11_d2l};

fn count(network: &Network, op: &str) -> usize {
    network.nodes().iter().filter(|node| node.op.name() == op).count()
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
    assert_eq!(plain.tensor("features.28.weight").map(|tensor| tensor.dims.clone()), Some(vec![512, 512, 3, 3]));
    assert_eq!(plain.tensor("classifier.0.weight").map(|tensor| tensor.dims.clone()), Some(vec![4096, 25088]));
    assert_eq!(plain.tensor("classifier.6.bias").map(|tensor| tensor.dims.clone()), Some(vec![1000]));
    let normalised = vgg(Column::D, Norm::Batch, 1000).at_usual_input()?;
    assert_eq!(normalised.tensor("features.40.bias").map(|tensor| tensor.dims.clone()), Some(vec![512]));
    assert_eq!(normalised.tensor("features.41.running_var").map(|tensor| tensor.dims.clone()), Some(vec![512]));
    let book = vgg_small_d2l(10).at_usual_input()?;
    assert_eq!(book.tensor("2.2.weight").map(|tensor| tensor.dims.clone()), Some(vec![64, 64, 3, 3]));
    assert_eq!(book.tensor("12.weight").map(|tensor| tensor.dims.clone()), Some(vec![10, 4096]));
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
    assert_eq!(network.node_at("features")?.shape.dims(), [512, 6, 7]);
    assert_eq!(network.node_at("avgpool")?.shape.dims(), [512, 7, 7]);
    assert_eq!(network.node_at("classifier")?.shape.dims(), [7]);
    assert_eq!(network.tensor("features.0.weight").map(|tensor| tensor.dims.clone()), Some(vec![64, 1, 3, 3]));
    let network = vgg11_d2l(7).at([3, 96, 64])?;
    assert_eq!(network.tensor("0.0.weight").map(|tensor| tensor.dims.clone()), Some(vec![64, 3, 3, 3]));
    assert_eq!(network.tensor("6.weight").map(|tensor| tensor.dims.clone()), Some(vec![4096, 512 * 3 * 2]));
    Ok(())
}
