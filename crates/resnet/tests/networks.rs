//! The networks against the papers' tables and torchvision's and timm's numbers.

use cnn_resnet::cnn_core::initialisation::Init;
use cnn_resnet::cnn_core::{Network, Op, Result};
use cnn_resnet::*;

fn tensors(network: &Network) -> Vec<(String, Vec<usize>)> {
    network.tensors().map(|tensor| (tensor.name.clone(), tensor.dims.clone())).collect()
}

/// Convolutions and linear layers; projections are not on the longest path and do not count.
fn weight_layers(network: &Network) -> usize {
    let projects = |path: &str| ["downsample", "shortcut"].iter().any(|label| path.contains(label));
    let weighs = |op: &Op| match op {
        // The book's projections are its only 1×1 convolutions with a bias.
        Op::Conv(conv) => !(conv.bias && conv.window.kernel.area() == 1 && conv.window.stride.area() > 1),
        Op::Linear(_) => true,
        _ => false,
    };
    network.nodes().iter().filter(|node| weighs(&node.op) && !projects(&node.path)).count()
}

#[test]
fn names_tell_the_depth() -> Result<()> {
    for listing in NETWORKS {
        let network = listing.architecture().at_usual_input()?;
        let digits = |c: &char| c.is_ascii_digit();
        let depth: String = network.name().chars().skip_while(|c| !digits(c)).take_while(digits).collect();
        match depth.parse::<usize>() {
            Ok(depth) => assert_eq!(weight_layers(&network), depth, "{}", network.name()),
            Err(_) => assert_eq!(network.name(), "mnist_residual"),
        }
    }
    Ok(())
}

#[test]
fn table_1_of_the_paper() -> Result<()> {
    for depth in [Depth::D18, Depth::D34, Depth::D50, Depth::D101, Depth::D152, Depth::D200] {
        let expansion = if matches!(depth, Depth::D18 | Depth::D34) { 1 } else { 4 };
        let stages = [[64, 56, 56], [128, 28, 28], [256, 14, 14], [512, 7, 7]].map(|[c, h, w]| [expansion * c, h, w]);
        for network in [resnet(depth, 1000), resnet_v1(depth, 1000)].map(|a| a.at_usual_input()) {
            let network = network?;
            assert_eq!(network.node_at("conv1")?.shape.dims(), [64, 112, 112]);
            for (path, stage) in ["layer1", "layer2", "layer3", "layer4"].iter().zip(stages) {
                assert_eq!(network.node_at(path)?.shape.dims(), stage, "{path} of {}", network.name());
            }
            assert_eq!(network.node_at("fc")?.shape.dims(), [1000]);
        }
        let network = resnet_preact(depth, 1000).at_usual_input()?;
        for (i, stage) in stages.iter().enumerate() {
            assert_eq!(
                network.node_at(&format!("stages.{i}"))?.shape.dims(),
                stage,
                "stages.{i} of {}",
                network.name()
            );
        }
    }
    Ok(())
}

#[test]
fn maps_on_cifar() -> Result<()> {
    for (architecture, expansion) in [
        (resnet_cifar(Cifar::D20, 10), 1),
        (plain_cifar(Cifar::D20, 10), 1),
        (resnet_preact_cifar(PreactCifar::D110, 10), 1),
        (resnet_preact_cifar(PreactCifar::D164, 10), 4),
    ] {
        let network = architecture.at_usual_input()?;
        for (path, [channels, height, width]) in
            [("layer1", [16, 32, 32]), ("layer2", [32, 16, 16]), ("layer3", [64, 8, 8])]
        {
            assert_eq!(
                network.node_at(path)?.shape.dims(),
                [expansion * channels, height, width],
                "{path} of {}",
                network.name()
            );
        }
    }
    Ok(())
}

#[test]
fn names_of_tensors() -> Result<()> {
    for (architecture, name, shape) in [
        (resnet(Depth::D18, 1000), "layer2.0.downsample.0.weight", vec![128, 64, 1, 1]),
        (resnet(Depth::D50, 1000), "layer1.0.downsample.1.running_var", vec![256]),
        (resnet(Depth::D152, 1000), "layer3.35.conv3.weight", vec![1024, 256, 1, 1]),
        (resnext(ResNext::D101_64x4d, 1000), "layer4.2.conv2.weight", vec![2048, 32, 3, 3]),
        (wide_resnet(Wide::D50, 1000), "layer1.0.conv1.weight", vec![128, 64, 1, 1]),
        (resnet_preact(Depth::D50, 1000), "stages.3.blocks.0.downsample.conv.weight", vec![2048, 1024, 1, 1]),
        (resnet_preact(Depth::D18, 1000), "head.fc.weight", vec![1000, 512, 1, 1]),
        (resnet_cifar(Cifar::D56, 10), "layer3.8.bn2.running_mean", vec![64]),
        (resnet_cifar(Cifar::D56, 10), "linear.weight", vec![10, 64]),
        (resnet_preact_cifar(PreactCifar::D1001, 100), "layer3.110.conv3.weight", vec![256, 64, 1, 1]),
        (resnet_preact_cifar(PreactCifar::D164, 10), "layer1.0.shortcut.weight", vec![64, 16, 1, 1]),
        (resnet18_d2l(10), "2.0.conv3.bias", vec![128]),
        (resnet18_d2l(10), "7.weight", vec![10, 512]),
        (mnist_residual(10), "rblock2.conv2.bias", vec![32]),
    ] {
        let network = architecture.at_usual_input()?;
        assert_eq!(network.tensor(name).map(|tensor| tensor.dims.clone()), Some(shape), "{name} of {}", network.name());
    }
    Ok(())
}

#[test]
fn twins_share_their_tensors() -> Result<()> {
    for depth in [Cifar::D20, Cifar::D1202] {
        let [residual, plain] = [resnet_cifar(depth, 10), plain_cifar(depth, 10)].map(|a| a.at_usual_input());
        assert_eq!(tensors(&residual?), tensors(&plain?), "{depth:?}");
    }
    let [spatial, reduction] = [resnet(Depth::D50, 1000), resnet_v1(Depth::D50, 1000)].map(|a| a.at_usual_input());
    let (spatial, reduction) = (spatial?, reduction?);
    assert_eq!(tensors(&spatial), tensors(&reduction));
    assert_eq!(spatial.node_at("layer2.0.conv1")?.shape.dims(), [128, 56, 56]);
    assert_eq!(reduction.node_at("layer2.0.conv1")?.shape.dims(), [128, 28, 28]);
    let network = plain(Plain::D34, 1000).at_usual_input()?;
    assert!(network.nodes().iter().all(|node| node.inputs.len() <= 1), "plain34 has a fork");
    Ok(())
}

#[test]
fn initialisation() -> Result<()> {
    let init = |network: &Network, name: &str| network.tensors().find(|t| t.name == name).map(|t| t.init);
    let network = resnet(Depth::D18, 1000).at_usual_input()?;
    assert_eq!(init(&network, "layer2.0.conv1.weight"), Some(Init::Normal { std: (2.0f64 / (128.0 * 9.0)).sqrt() }));
    assert_eq!(init(&network, "fc.bias"), Some(Init::Uniform { bound: 1.0 / 512f64.sqrt() }));
    let network = resnet_cifar(Cifar::D20, 10).at_usual_input()?;
    assert_eq!(init(&network, "layer2.0.conv1.weight"), Some(Init::Normal { std: (2.0f64 / (16.0 * 9.0)).sqrt() }));
    let network = resnet_preact(Depth::D18, 1000).at_usual_input()?;
    assert_eq!(init(&network, "head.fc.weight"), Some(Init::Normal { std: 0.01 }));
    Ok(())
}

#[test]
fn other_inputs_and_other_classes() -> Result<()> {
    for listing in NETWORKS {
        let network = (listing.define)(7).at([2, 67, 45])?;
        assert_eq!(network.output().shape.dims(), [7], "{}", network.name());
        assert_eq!(network.tensors().next().map(|t| t.dims[1]), Some(2), "{}", network.name());
    }
    let network = resnext(ResNext::D50_32x4d, 7).at([1, 195, 251])?;
    assert_eq!(network.node_at("layer4")?.shape.dims(), [2048, 7, 8]);
    Ok(())
}

#[test]
fn a_single_pixel_passes_where_every_window_is_padded() -> Result<()> {
    let network = resnet(Depth::D50, 10).at([3, 1, 1])?;
    assert_eq!(network.node_at("layer4")?.shape.dims(), [2048, 1, 1]);
    Ok(())
}

#[test]
fn a_backbone_keeps_its_names_and_its_initialisation() -> Result<()> {
    use cnn_resnet::cnn_core::definition::{chain, conv};
    let whole = resnet(Depth::D18, 1000).at([3, 64, 64])?;
    let bare = resnet(Depth::D18, 1000).up_to("layer4");
    let same = chain().and(bare.clone()).then("boxes", conv(1).out(4)).named("detector", [3, 64, 64]);
    let same = same.at_usual_input()?;
    let shared = whole.tensors().count() - 2;
    assert!(whole.tensors().take(shared).eq(same.tensors().take(shared)));
    assert_eq!(same.output().shape.dims(), [4, 2, 2]);
    let labelled = chain().then("backbone", bare).then("boxes", conv(1).out(4)).named("detector", [3, 64, 64]);
    let labelled = labelled.at_usual_input()?;
    for (tensor, own) in labelled.tensors().zip(whole.tensors()).take(shared) {
        assert_eq!(tensor.name, format!("backbone.{}", own.name));
        assert_eq!((&tensor.dims, tensor.init), (&own.dims, own.init));
    }
    Ok(())
}
