//! The networks against the paper's tables and torchvision's numbers.

use cnn_densenet::cnn_core::Result;
use cnn_densenet::cnn_core::initialisation::Init;
use cnn_densenet::*;

#[test]
fn layers_with_weights() -> Result<()> {
    let expected = [
        ("densenet121", 121),
        ("densenet161", 161),
        ("densenet169", 169),
        ("densenet201", 201),
        ("densenet264", 265),
        ("densenet121_small_stem", 121),
        ("densenet40_cifar", 40),
        ("densenet100_cifar", 100),
        ("densenet100_k24_cifar", 100),
        ("densenet100bc_cifar", 100),
        ("densenet250bc_cifar", 250),
        ("densenet190bc_cifar", 190),
        ("densenet_d2l", 21),
    ];
    assert_eq!(NETWORKS.len(), expected.len());
    for (listing, (name, layers)) in NETWORKS.iter().zip(expected) {
        let network = listing.architecture().at_usual_input()?;
        let weighted = network.nodes().iter().filter(|node| node.op.kind().is_layer());
        assert_eq!((network.name(), weighted.count()), (name, layers));
    }
    Ok(())
}

#[test]
fn table_1_of_the_paper() -> Result<()> {
    for (depth, channels) in [
        (Depth::D121, [64, 256, 128, 512, 256, 1024, 512, 1024]),
        (Depth::D161, [96, 384, 192, 768, 384, 2112, 1056, 2208]),
        (Depth::D169, [64, 256, 128, 512, 256, 1280, 640, 1664]),
        (Depth::D201, [64, 256, 128, 512, 256, 1792, 896, 1920]),
        (Depth::D264, [64, 256, 128, 512, 256, 2304, 1152, 2688]),
    ] {
        let network = densenet(depth, 1000).at_usual_input()?;
        let paths = [
            ("pool0", 56),
            ("denseblock1", 56),
            ("transition1", 28),
            ("denseblock2", 28),
            ("transition2", 14),
            ("denseblock3", 14),
            ("transition3", 7),
            ("denseblock4", 7),
        ];
        for ((path, size), channels) in paths.into_iter().zip(channels) {
            assert_eq!(
                network.node_at(&format!("features.{path}"))?.shape.dims(),
                [channels, size, size],
                "{path} of {depth:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn table_2_of_the_paper() -> Result<()> {
    for (row, tenths_of_a_million) in [
        (Cifar::L40_K12, 10),
        (Cifar::L100_K12, 70),
        (Cifar::L100_K24, 272),
        (Cifar::BC_L100_K12, 8),
        (Cifar::BC_L250_K24, 153),
        (Cifar::BC_L190_K40, 256),
    ] {
        let network = densenet_cifar(row, 10).at_usual_input()?;
        assert_eq!((network.summary().parameters + 50_000) / 100_000, tenths_of_a_million, "{row:?}");
        for (path, size) in [("denseblock1", 32), ("denseblock2", 16), ("denseblock3", 8)] {
            assert_eq!(
                network.node_at(&format!("features.{path}"))?.shape.dims()[1..],
                [size, size],
                "{path} of {row:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn compression_halves_the_channels_of_bc_alone() -> Result<()> {
    let basic = densenet_cifar(Cifar::L40_K12, 10).at_usual_input()?;
    assert_eq!(basic.node_at("features.transition1")?.shape.dims(), [16 + 12 * 12, 16, 16]);
    let bc = densenet_cifar(Cifar::BC_L100_K12, 10).at_usual_input()?;
    assert_eq!(bc.node_at("features.transition1")?.shape.dims(), [(24 + 16 * 12) / 2, 16, 16]);
    Ok(())
}

#[test]
fn names_of_tensors() -> Result<()> {
    for (architecture, name, shape) in [
        (densenet(Depth::D121, 1000), "features.denseblock4.denselayer16.norm1.running_mean", vec![992]),
        (densenet(Depth::D161, 1000), "features.denseblock3.denselayer36.conv2.weight", vec![48, 192, 3, 3]),
        (densenet(Depth::D169, 1000), "features.transition3.conv.weight", vec![640, 1280, 1, 1]),
        (densenet(Depth::D201, 1000), "features.norm5.weight", vec![1920]),
        (densenet(Depth::D264, 1000), "classifier.weight", vec![1000, 2688]),
        (densenet_cifar(Cifar::L40_K12, 10), "features.denseblock3.denselayer12.conv1.weight", vec![12, 436, 3, 3]),
        (densenet_d2l(10), "3.net.1.2.bias", vec![32]),
        (densenet_d2l(10), "6.2.weight", vec![120, 240, 1, 1]),
        (densenet_d2l(10), "12.weight", vec![10, 248]),
    ] {
        let network = architecture.at_usual_input()?;
        assert_eq!(network.tensor(name).map(|tensor| tensor.dims.clone()), Some(shape), "{name} of {}", network.name());
    }
    Ok(())
}

#[test]
fn initialisation() -> Result<()> {
    let network = densenet(Depth::D121, 1000).at_usual_input()?;
    let init = |name: &str| network.tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.init);
    assert_eq!(init("features.conv0.weight"), Some(Init::Normal { std: (2.0f64 / (3.0 * 49.0)).sqrt() }));
    assert_eq!(init("classifier.bias"), Some(Init::Constant(0.0)));
    Ok(())
}

#[test]
fn other_inputs_and_other_classes() -> Result<()> {
    for listing in NETWORKS {
        let network = (listing.define)(7).at([2, 67, 45])?;
        assert_eq!(network.output().shape.dims(), [7], "{}", network.name());
        assert_eq!(network.tensors().next().map(|t| t.dims[1]), Some(2), "{}", network.name());
    }
    assert_eq!(densenet(Depth::D121, 7).at([1, 195, 251])?.node_at("features")?.shape.dims(), [1024, 6, 7]);
    Ok(())
}
