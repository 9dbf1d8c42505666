//! The networks against the paper's tables and torchvision's numbers.

use cnn_densenet::cnn_core::initialisation::Init;
use cnn_densenet::cnn_core::{Network, Op, Result};
use cnn_densenet::*;

fn dims(network: &Network, path: &str) -> Result<Vec<usize>> {
    Ok(network.node(network.find(path)?).shape.dims())
}

fn tensor(network: &Network, name: &str) -> Option<Vec<usize>> {
    network.tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.dims.clone())
}

#[test]
fn depths_parameters_and_multiply_accumulates() -> Result<()> {
    let expected = [
        ("densenet121", 121, 7_978_856, 2_834_161_664),
        ("densenet161", 161, 28_681_000, 7_727_907_072),
        ("densenet169", 169, 14_149_480, 3_359_843_328),
        ("densenet201", 201, 20_013_928, 4_291_365_888),
        ("densenet264", 265, 33_337_704, 5_751_653_376),
        ("densenet40_cifar", 40, 1_019_722, 264_812_928),
        ("densenet100_cifar", 100, 6_979_642, 1_769_516_448),
        ("densenet100_k24_cifar", 100, 27_249_082, 6_889_347_744),
        ("densenet100bc_cifar", 100, 769_162, 287_929_692),
        ("densenet250bc_cifar", 250, 15_324_406, 5_418_785_724),
        ("densenet190bc_cifar", 190, 25_624_430, 9_301_945_740),
        ("densenet_d2l", 21, 758_226, 129_077_168),
    ];
    assert_eq!(NETWORKS.len(), expected.len());
    for ((name, classes, define), (expected_name, weight_layers, parameters, macs)) in NETWORKS.iter().zip(expected) {
        let network = define(*classes).at_usual_input()?;
        let summary = network.summary();
        assert_eq!((*name, network.name()), (expected_name, expected_name));
        assert_eq!((summary.parameters, summary.macs), (parameters, macs), "{name}");
        let weighted = network.nodes().iter().filter(|node| matches!(node.op, Op::Conv(_) | Op::Linear(_)));
        assert_eq!(weighted.count(), weight_layers, "{name}");
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
            assert_eq!(dims(&network, &format!("features.{path}"))?, [channels, size, size], "{path} of {depth:?}");
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
            assert_eq!(dims(&network, &format!("features.{path}"))?[1..], [size, size], "{path} of {row:?}");
        }
    }
    Ok(())
}

#[test]
fn compression_halves_the_channels_of_bc_alone() -> Result<()> {
    let basic = densenet_cifar(Cifar::L40_K12, 10).at_usual_input()?;
    assert_eq!(dims(&basic, "features.transition1")?, [16 + 12 * 12, 16, 16]);
    let bc = densenet_cifar(Cifar::BC_L100_K12, 10).at_usual_input()?;
    assert_eq!(dims(&bc, "features.transition1")?, [(24 + 16 * 12) / 2, 16, 16]);
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
        assert_eq!(tensor(&network, name), Some(shape), "{name} of {}", network.name());
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
    for (name, _, define) in NETWORKS {
        let network = define(7).at([2, 67, 45])?;
        assert_eq!(network.node(network.outputs()[0].node).shape.dims(), [7], "{name}");
        assert_eq!(network.tensors().next().map(|t| t.dims[1]), Some(2), "{name}");
    }
    assert_eq!(dims(&densenet(Depth::D121, 7).at([1, 195, 251])?, "features")?, [1024, 6, 7]);
    Ok(())
}

#[test]
fn an_image_too_small_is_an_error_with_its_node() {
    let message = |network: Result<Network>| network.err().map(|error| error.to_string());
    let last_pool = "features.transition3.pool: kernel 2×2 exceeds padded input 1×2 (input 1×2)";
    assert_eq!(message(densenet(Depth::D121, 1000).at([3, 28, 29])).as_deref(), Some(last_pool));
    let last_pool = "features.transition2.pool: kernel 2×2 exceeds padded input 8×1 (input 8×1)";
    assert_eq!(message(densenet_cifar(Cifar::L40_K12, 10).at([3, 16, 3])).as_deref(), Some(last_pool));
}
