//! The numbers the sources give for these networks.

use cnn_core::Result;
use cnn_lenet::{NETWORKS, cnn_core, lenet, lenet_paper};

#[test]
fn parameters_and_output_of_every_network() -> Result<()> {
    let expected = [
        ("lenet", 61_706),
        ("lenet_paper", 60_000),
        ("lenet_d2l", 61_706),
        ("lenet_d2l_max", 61_706),
        ("lenet_linear", 61_610),
        ("mnist_conv", 8_490),
        ("mnist_mlp", 11_935),
    ];
    assert_eq!(NETWORKS.len(), expected.len());
    for ((name, classes, define), (expected_name, parameters)) in NETWORKS.iter().zip(expected) {
        let net = define(*classes).at_usual_input()?;
        assert_eq!((*name, net.name()), (expected_name, expected_name));
        assert_eq!(net.summary().parameters, parameters, "{name}");
        let three = define(3).at_usual_input()?;
        assert_eq!(three.node(three.outputs()[0].node).shape.dims(), [3], "{name}");
    }
    Ok(())
}

#[test]
fn the_papers_layers() -> Result<()> {
    let net = lenet_paper(10).at_usual_input()?;
    let layers = [
        ("c1", "6×28×28", 156),
        ("s2", "6×14×14", 12),
        ("c3", "16×10×10", 1_516),
        ("s4", "16×5×5", 32),
        ("c5", "120×1×1", 48_120),
        ("f6", "84", 10_164),
        ("output", "10", 0),
    ];
    let summary = net.summary();
    for (path, shape, parameters) in layers {
        let line = summary.nodes.iter().find(|node| node.path == path).map(|n| (n.output.to_string(), n.parameters));
        assert_eq!(line, Some((shape.to_string(), parameters)), "{path}");
    }
    Ok(())
}

#[test]
fn too_small_an_image_names_the_layer() {
    let message = |define: fn(usize) -> cnn_core::Architecture, input| define(10).at(input).unwrap_err().to_string();
    assert_eq!(message(lenet, [1, 12, 12]), "conv2: kernel 5×5 exceeds padded input 4×4 (input 4×4)");
    assert_eq!(message(lenet_paper, [1, 28, 28]), "c5: kernel 5×5 exceeds padded input 4×4 (input 4×4)");
}
