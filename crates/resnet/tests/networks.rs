//! The networks against the papers' tables and torchvision's and timm's numbers.

use cnn_resnet::cnn_core::initialisation::Init;
use cnn_resnet::cnn_core::{Network, Op, Result};
use cnn_resnet::*;

fn dims(network: &Network, path: &str) -> Result<Vec<usize>> {
    Ok(network.node(network.find(path)?).shape.dims())
}

fn tensor(network: &Network, name: &str) -> Option<Vec<usize>> {
    network.tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.dims.clone())
}

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
fn depths_parameters_and_multiply_accumulates() -> Result<()> {
    let expected = [
        ("resnet18", 11_689_512, 1_814_073_344),
        ("resnet34", 21_797_672, 3_663_761_408),
        ("resnet50", 25_557_032, 4_089_184_256),
        ("resnet101", 44_549_160, 7_801_405_440),
        ("resnet152", 60_192_808, 11_513_626_624),
        ("resnet200", 64_673_832, 15_007_481_856),
        ("resnet50_v1", 25_557_032, 3_857_973_248),
        ("resnet101_v1", 44_549_160, 7_570_194_432),
        ("resnet152_v1", 60_192_808, 11_282_415_616),
        ("resnet18_preact", 11_687_720, 1_814_073_344),
        ("resnet34_preact", 21_795_880, 3_663_761_408),
        ("resnet50_preact", 25_549_352, 4_089_184_256),
        ("resnet101_preact", 44_541_480, 7_801_405_440),
        ("resnet152_preact", 60_185_128, 11_513_626_624),
        ("resnet200_preact", 64_666_152, 15_007_481_856),
        ("resnext50_32x4d", 25_028_904, 4_230_479_872),
        ("resnext101_32x8d", 88_791_336, 16_414_015_488),
        ("resnext101_64x4d", 83_455_272, 15_460_270_080),
        ("wide_resnet50_2", 68_883_240, 11_398_021_120),
        ("wide_resnet101_2", 126_886_696, 22_753_050_624),
        ("plain18", 11_515_688, 1_794_805_760),
        ("plain34", 21_623_848, 3_644_493_824),
        ("resnet20_cifar", 269_722, 40_551_040),
        ("resnet32_cifar", 464_154, 68_862_592),
        ("resnet44_cifar", 658_586, 97_174_144),
        ("resnet56_cifar", 853_018, 125_485_696),
        ("resnet110_cifar", 1_727_962, 252_887_680),
        ("resnet1202_cifar", 19_421_274, 2_829_238_912),
        ("plain20_cifar", 269_722, 40_551_040),
        ("plain32_cifar", 464_154, 68_862_592),
        ("plain44_cifar", 658_586, 97_174_144),
        ("plain56_cifar", 853_018, 125_485_696),
        ("plain110_cifar", 1_727_962, 252_887_680),
        ("resnet110_preact_cifar", 1_730_522, 253_149_824),
        ("resnet164_preact_cifar", 1_703_258, 247_646_720),
        ("resnet1001_preact_cifar", 10_327_706, 1_490_995_712),
        ("resnet18_d2l", 11_178_378, 318_657_536),
        ("mnist_residual", 41_514, 2_013_184),
    ];
    assert_eq!(NETWORKS.len(), expected.len());
    for ((name, classes, define), (expected_name, parameters, macs)) in NETWORKS.iter().zip(expected) {
        let network = define(*classes).at_usual_input()?;
        let summary = network.summary();
        assert_eq!((*name, network.name()), (expected_name, expected_name));
        assert_eq!((summary.parameters, summary.macs), (parameters, macs), "{name}");
        let digits: String =
            name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        if let Ok(depth) = digits.parse::<usize>() {
            assert_eq!(weight_layers(&network), depth, "{name}");
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
            assert_eq!(dims(&network, "conv1")?, [64, 112, 112]);
            for (path, stage) in ["layer1", "layer2", "layer3", "layer4"].iter().zip(stages) {
                assert_eq!(dims(&network, path)?, stage, "{path} of {}", network.name());
            }
            assert_eq!(dims(&network, "fc")?, [1000]);
        }
        let network = resnet_preact(depth, 1000).at_usual_input()?;
        for (i, stage) in stages.iter().enumerate() {
            assert_eq!(dims(&network, &format!("stages.{i}"))?, stage, "stages.{i} of {}", network.name());
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
            assert_eq!(dims(&network, path)?, [expansion * channels, height, width], "{path} of {}", network.name());
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
        assert_eq!(tensor(&network, name), Some(shape), "{name} of {}", network.name());
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
    assert_eq!(dims(&spatial, "layer2.0.conv1")?, [128, 56, 56]);
    assert_eq!(dims(&reduction, "layer2.0.conv1")?, [128, 28, 28]);
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
    for (name, _, define) in NETWORKS {
        let network = define(7).at([2, 67, 45])?;
        assert_eq!(network.node(network.outputs()[0].node).shape.dims(), [7], "{name}");
        assert_eq!(network.tensors().next().map(|t| t.dims[1]), Some(2), "{name}");
    }
    let network = resnext(ResNext::D50_32x4d, 7).at([1, 195, 251])?;
    assert_eq!(dims(&network, "layer4")?, [2048, 7, 8]);
    Ok(())
}

#[test]
fn an_image_too_small_is_an_error_with_its_node() -> Result<()> {
    let message = mnist_residual(10).at([1, 11, 28]).err().map(|error| error.to_string());
    assert_eq!(message.as_deref(), Some("conv2: kernel 5×5 exceeds padded input 3×12 (input 3×12)"));
    // Every window of the other networks is padded: a single pixel passes.
    assert_eq!(dims(&resnet(Depth::D50, 10).at([3, 1, 1])?, "layer4")?, [2048, 1, 1]);
    Ok(())
}
