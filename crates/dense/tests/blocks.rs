//! How channels grow in a dense block, and what its parts are called.

use cnn_dense::cnn_core::definition::{Chain, chain};
use cnn_dense::cnn_core::{Network, Result};
use cnn_dense::*;

fn on(part: Chain, input: [usize; 3]) -> Result<Network> {
    chain().then("block", part).named("part", input).at_usual_input()
}

#[test]
fn a_block_grows_by_a_fixed_number_of_channels_a_layer() -> Result<()> {
    for layer in [layer(4), bottleneck_layer(4)] {
        let network = on(dense_block(3, layer), [6, 8, 9])?;
        let widths: Vec<usize> =
            network.nodes().iter().filter(|node| node.op.name() == "cat").map(|node| node.shape.channels()).collect();
        assert_eq!(widths, [10, 14, 18]);
        assert_eq!(network.node_at("block.denselayer3")?.shape.dims(), [4, 8, 9]);
        assert_eq!(network.node_at("block")?.shape.dims(), [18, 8, 9]);
    }
    Ok(())
}

#[test]
fn the_input_stands_before_the_new_channels() -> Result<()> {
    let network = on(dense_block(2, layer(4)), [6, 8, 8])?;
    let last = network.node(network.find("block")?);
    let inputs: Vec<&str> = last.inputs.iter().map(|input| network.node(*input).path.as_str()).collect();
    assert_eq!(inputs, ["block.cat", "block.denselayer2.conv1"]);
    Ok(())
}

#[test]
fn a_bottleneck_reads_any_width_through_four_times_its_growth() -> Result<()> {
    let network = on(dense_block(2, bottleneck_layer(12)), [24, 8, 8])?;
    let weight = |name: &str| network.tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.dims.clone());
    assert_eq!(weight("block.denselayer2.conv1.weight"), Some(vec![48, 36, 1, 1]));
    assert_eq!(weight("block.denselayer2.conv2.weight"), Some(vec![12, 48, 3, 3]));
    assert_eq!(weight("block.denselayer2.conv2.bias"), None);
    Ok(())
}

#[test]
fn a_transition_halves_the_maps_and_needs_two_pixels() -> Result<()> {
    for (part, last) in [(transition(5), "pool"), (transition_d2l(5), "3")] {
        assert_eq!(on(part.clone(), [10, 9, 6])?.node_at("block")?.shape.dims(), [5, 4, 3]);
        let message = on(part, [10, 6, 1]).err().map(|error| error.to_string());
        let expected = format!("block.{last}: kernel 2×2 exceeds padded input 6×1 (input 6×1)");
        assert_eq!(message, Some(expected));
    }
    Ok(())
}

#[test]
fn the_books_parts_have_biases_and_indices() -> Result<()> {
    let network = on(dense_block_d2l(2, 10), [3, 8, 8])?;
    let weights: Vec<&str> =
        network.tensors().map(|t| t.name.as_str()).filter(|name| !name.contains("running")).collect();
    let of_layer = |i: usize| ["0.weight", "0.bias", "2.weight", "2.bias"].map(|name| format!("block.net.{i}.{name}"));
    assert_eq!(weights, [of_layer(0), of_layer(1)].concat());
    Ok(())
}
