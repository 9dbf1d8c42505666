//! Laws of outlines: they hold every node once, whatever the network.

use cnn_zoo::cnn_core::Summary;
use std::collections::BTreeSet;

type Failure = Box<dyn std::error::Error>;

#[test]
fn the_stages_hold_every_node_but_the_input_once() -> Result<(), Failure> {
    for entry in cnn_zoo::all() {
        let network = entry.architecture(entry.classes).at_usual_input()?;
        let nodes: Vec<usize> =
            network.outline().stages.iter().flat_map(|stage| stage.nodes()).map(|node| node.index()).collect();
        let distinct: BTreeSet<usize> = nodes.iter().copied().collect();
        assert_eq!(nodes.len(), distinct.len(), "{}", entry.name);
        assert!(distinct.into_iter().eq(1..network.nodes().len()), "{}", entry.name);
    }
    Ok(())
}

#[test]
fn the_stages_of_resnet_are_the_rows_of_its_table() -> Result<(), Failure> {
    let entry = cnn_zoo::find("resnet50")?;
    let outline = entry.architecture(1000).at_usual_input()?.outline();
    let labels: Vec<&str> = outline.stages.iter().map(|stage| stage.label.as_str()).collect();
    assert_eq!(labels, ["conv1 … maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"]);
    Ok(())
}

#[test]
fn a_head_names_what_it_reads() -> Result<(), Failure> {
    let entry = cnn_zoo::find("googlenet")?;
    let outline = entry.architecture(1000).at_usual_input()?.outline();
    let heads: Vec<(&str, &str)> =
        outline.stages.iter().filter_map(|stage| Some((stage.label.as_str(), stage.reads.as_deref()?))).collect();
    assert_eq!(heads, [("aux1", "inception4a"), ("aux2", "inception4d")]);
    Ok(())
}

#[test]
fn depths_and_fields_are_the_papers() -> Result<(), Failure> {
    let summary = |name: &str| -> Result<Summary, Failure> {
        let entry = cnn_zoo::find(name)?;
        Ok(entry.architecture(entry.classes).at_usual_input()?.summary())
    };
    for (name, layers) in
        [("alexnet", 8), ("vgg16", 16), ("plain34", 34), ("densenet121", 121), ("plain110_cifar", 110)]
    {
        assert_eq!(summary(name)?.layers, layers, "{name}");
    }
    // The five stages of VGG-16, and He et al.'s stride on the first 1×1 of a bottleneck.
    assert_eq!(summary("vgg16")?.receptive_field.size, 212.into());
    assert_eq!(summary("resnet50_v1")?.receptive_field.size, 483.into());
    // 61,706 parameters and no statistics.
    assert_eq!(summary("lenet")?.weights_memory, 4 * 61_706);
    Ok(())
}
