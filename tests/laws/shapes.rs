//! Every network has the shapes of its reference table; and a table with one number changed is found out.

use crate::Failure;
use cnn_verify::reference::{Reference, Table};
use cnn_verify::{Mismatch, papers, shapes};

fn reference() -> Reference {
    Reference::at(concat!(env!("CARGO_MANIFEST_DIR"), "/reference"))
}

fn table(network: &str) -> Result<Table, Failure> {
    Ok(reference().table(network)?.ok_or(format!("{network} has no table"))?)
}

#[test]
fn every_network_has_the_shapes_of_its_table() -> Result<(), Failure> {
    let mut names = Vec::new();
    for entry in cnn_zoo::all() {
        let comparison = shapes::compare(&entry, &table(entry.name)?)?;
        assert_eq!(comparison.mismatches, [], "{}", entry.name);
        assert!(comparison.tensors > 0 && comparison.nodes > 0, "{}", entry.name);
        names.push(entry.name.to_string());
    }
    names.sort_unstable();
    assert_eq!(reference().tables()?, names, "every table is of a network");
    Ok(())
}

#[test]
fn the_papers_numbers_are_the_networks() -> Result<(), Failure> {
    let comparison = papers::compare(&reference(), |_| true)?;
    assert_eq!(comparison.mismatches, []);
    assert!(comparison.numbers > 200, "{}", comparison.numbers);
    Ok(())
}

/// The mismatches with a table that `change` was made to.
fn with(network: &str, change: impl FnOnce(&mut Table)) -> Result<Vec<Mismatch>, Failure> {
    let mut table = table(network)?;
    change(&mut table);
    Ok(shapes::compare(&cnn_zoo::find(network)?, &table)?.mismatches)
}

#[test]
fn a_changed_stride_is_found() -> Result<(), Failure> {
    let mismatches = with("resnet50", |table| {
        table.nodes.insert("layer2.0.conv2".to_string(), vec![128, 56, 56]);
    })?;
    let messages: Vec<String> = mismatches.iter().map(Mismatch::to_string).collect();
    assert_eq!(messages, ["resnet50: node layer2.0.conv2 at 3×224×224: expected 128×56×56, found 128×28×28"]);
    Ok(())
}

#[test]
fn a_changed_width_is_found() -> Result<(), Failure> {
    let mismatches = with("vgg16", |table| {
        table.tensors.insert("features.0.weight".to_string(), vec![65, 3, 3, 3]);
        table.parameters += 27;
    })?;
    let messages: Vec<String> = mismatches.iter().map(Mismatch::to_string).collect();
    let expected = [
        "vgg16: parameters: expected 138357571, found 138357544",
        "vgg16: tensor features.0.weight: expected 65×3×3×3, found 64×3×3×3",
    ];
    assert_eq!(messages, expected);
    Ok(())
}

#[test]
fn a_changed_name_is_found_from_both_sides() -> Result<(), Failure> {
    let mismatches = with("densenet121", |table| {
        let dims = table.tensors.remove("features.conv0.weight").unwrap_or_default();
        table.tensors.insert("features.conv.weight".to_string(), dims);
    })?;
    let messages: Vec<String> = mismatches.iter().map(Mismatch::to_string).collect();
    let expected = [
        "densenet121: tensor features.conv.weight: expected 64×3×7×7, found none",
        "densenet121: tensor features.conv0.weight: expected none, found 64×3×7×7",
    ];
    assert_eq!(messages, expected);
    Ok(())
}

#[test]
fn a_node_that_is_not_there_is_found() -> Result<(), Failure> {
    let mismatches = with("googlenet", |table| {
        table.nodes.insert("inception6a".to_string(), vec![1]);
    })?;
    assert_eq!(mismatches.len(), 1);
    assert!(mismatches[0].found.starts_with("googlenet has no node inception6a"), "{}", mismatches[0]);
    Ok(())
}
