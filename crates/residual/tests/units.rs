//! What each unit is made of, what it is called, and where its shortcut starts.

use cnn_residual::cnn_core::definition::{Chain, chain};
use cnn_residual::cnn_core::{Network, Result};
use cnn_residual::*;

const HALVING: UnitPosition = UnitPosition { width: 16, stride: 2, first: true };
const REPEATED: UnitPosition = UnitPosition { width: 16, stride: 1, first: false };

fn on(unit: Chain, input: [usize; 3]) -> Result<Network> {
    chain().then("unit", unit).named("unit", input).at_usual_input()
}

fn operations(network: &Network) -> Vec<&str> {
    network.nodes().iter().skip(1).map(|node| node.path.trim_start_matches("unit.")).collect()
}

#[test]
fn every_shortcut_of_a_basic_unit() -> Result<()> {
    let main = ["conv1", "bn1", "relu", "conv2", "bn2"];
    for (shortcut, input, around) in [
        (Shortcut::Identity, [16, 9, 12], &["add", "relu_1"][..]),
        (Shortcut::Zeros, [8, 9, 12], &["shortcut.max_pool", "shortcut.zero_channels", "add", "relu_1"]),
        (Shortcut::Projection, [8, 9, 12], &["downsample.0", "downsample.1", "add", "relu_1"]),
        (Shortcut::Convolution, [8, 9, 12], &["conv3", "add", "relu_1"]),
        (Shortcut::None, [8, 9, 12], &["relu_1"]),
    ] {
        let (place, size) =
            if shortcut == Shortcut::Identity { (REPEATED, [16, 9, 12]) } else { (HALVING, [16, 5, 6]) };
        let network = on(basic(place, shortcut), input)?;
        assert_eq!(operations(&network), [&main[..], around].concat(), "{shortcut:?}");
        assert_eq!(network.node_at("unit")?.shape.dims(), size, "{shortcut:?}");
    }
    Ok(())
}

#[test]
fn the_stride_of_a_bottleneck_is_on_the_3x3_or_on_the_first_1x1() -> Result<()> {
    for (strided, reduced) in [(Strided::Spatial, [16, 10, 10]), (Strided::Reduction, [16, 5, 5])] {
        let network = on(bottleneck(HALVING, Bottleneck { strided, ..Default::default() }), [32, 10, 10])?;
        assert_eq!(network.node_at("unit.conv1")?.shape.dims(), reduced, "{strided:?}");
        assert_eq!(network.node_at("unit.conv2")?.shape.dims(), [16, 5, 5], "{strided:?}");
        assert_eq!(network.node_at("unit.downsample")?.shape.dims(), [64, 5, 5], "{strided:?}");
    }
    Ok(())
}

#[test]
fn groups_and_widening_change_the_3x3_alone() -> Result<()> {
    let network = on(bottleneck(REPEATED, Bottleneck { widening: 2, groups: 8, ..Default::default() }), [64, 10, 10])?;
    let weight = |name: &str| network.tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.dims.clone());
    assert_eq!(weight("unit.conv1.weight"), Some(vec![32, 64, 1, 1]));
    assert_eq!(weight("unit.conv2.weight"), Some(vec![32, 4, 3, 3]));
    assert_eq!(weight("unit.conv3.weight"), Some(vec![64, 32, 1, 1]));
    Ok(())
}

#[test]
fn a_projection_reads_the_activated_input_and_an_identity_the_raw_one() -> Result<()> {
    let sources = |network: &Network| -> Result<Vec<String>> {
        let add = network.node(network.find("unit.add")?).clone();
        let start = match network.node(add.inputs[1]).path.as_str() {
            "input" => add.inputs[1],
            _ => network.node(add.inputs[1]).inputs[0],
        };
        Ok(vec![network.node(add.inputs[0]).path.clone(), network.node(start).path.clone()])
    };
    for (unit, input, expected) in [
        (preact_basic(REPEATED, Names::Cifar), [16, 8, 8], ["unit.conv2", "input"]),
        (preact_basic(HALVING, Names::Cifar), [8, 8, 8], ["unit.conv2", "unit.relu"]),
        (preact_bottleneck(REPEATED, Names::Timm), [64, 8, 8], ["unit.conv3", "input"]),
        (preact_bottleneck(HALVING, Names::Timm), [32, 8, 8], ["unit.conv3", "unit.relu"]),
        (
            preact_bottleneck(UnitPosition { stride: 1, ..HALVING }, Names::Timm),
            [16, 8, 8],
            ["unit.conv3", "unit.relu"],
        ),
    ] {
        let network = on(unit, input)?;
        assert_eq!(sources(&network)?, expected);
        assert_eq!(network.find("unit")?, network.find("unit.add")?);
    }
    Ok(())
}

#[test]
fn the_books_unit_and_the_unnormalised_one_have_biases() -> Result<()> {
    let biased = |network: &Network| network.tensors().filter(|t| t.name.ends_with(".bias")).count();
    let book = on(basic_d2l(HALVING), [8, 8, 8])?;
    assert_eq!(biased(&book), 3 + 2);
    assert_eq!(book.node_at("unit.conv3")?.shape.dims(), [16, 4, 4]);
    let small = on(unnormalised(), [16, 12, 12])?;
    assert_eq!(operations(&small), ["conv1", "relu", "conv2", "add", "relu_1"]);
    assert_eq!(small.summary().parameters, 2 * (16 * 16 * 9 + 16));
    Ok(())
}

#[test]
fn only_the_first_unit_of_a_stage_has_its_stride() -> Result<()> {
    let network =
        on(stage(Stage { width: 16, units: 3, stride: 2 }, |at| preact_bottleneck(at, Names::Cifar)), [32, 9, 7])?;
    for unit in ["unit.0", "unit.1", "unit.2", "unit"] {
        assert_eq!(network.node_at(unit)?.shape.dims(), [64, 5, 4], "{unit}");
    }
    assert!(network.find("unit.0.shortcut").is_ok() && network.find("unit.1.shortcut").is_err());
    Ok(())
}

#[test]
fn branches_that_do_not_fit_are_an_error_with_the_units_path() {
    let message = on(basic(HALVING, Shortcut::Identity), [8, 8, 8]).err().map(|error| error.to_string());
    assert_eq!(message.as_deref(), Some("unit.add: add joins 16×4×4 with 8×8×8"));
}
