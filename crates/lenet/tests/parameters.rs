//! The numbers the sources give for these networks.

use cnn_core::Result;
use cnn_lenet::{cnn_core, lenet_paper};

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
