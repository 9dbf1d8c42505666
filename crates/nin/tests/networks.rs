//! The networks against their sources: parameters, multiply-accumulates, shapes, names, initialisation.

use cnn_nin::cnn_core::initialisation::Init;
use cnn_nin::cnn_core::{Network, Result};
use cnn_nin::{nin, nin_cifar, nin_d2l, nin_one_1x1_d2l};

#[test]
fn shapes_of_blocks_and_pools() -> Result<()> {
    let check = |network: Network, expected: &[(&str, [usize; 3])]| -> Result<()> {
        for (path, shape) in expected {
            assert_eq!(network.node_at(path)?.shape.dims(), shape, "{} {path}", network.name());
        }
        Ok(())
    };
    // The book's table, section 8.3.2.
    let book = [
        ("0", [96, 54, 54]),
        ("1", [96, 26, 26]),
        ("2", [256, 26, 26]),
        ("3", [256, 12, 12]),
        ("4", [384, 12, 12]),
        ("5", [384, 5, 5]),
        ("7", [10, 5, 5]),
        ("8", [10, 1, 1]),
    ];
    check(nin_d2l(10).at_usual_input()?, &book)?;
    check(nin_one_1x1_d2l(10).at_usual_input()?, &book)?;
    // The windows of the authors' last averages, 6×6 and 8×8, are the whole maps.
    let imagenet = [("1", [96, 27, 27]), ("3", [256, 13, 13]), ("5", [384, 6, 6]), ("7", [1000, 6, 6])];
    check(nin(1000).at_usual_input()?, &imagenet)?;
    let cifar = [
        ("0", [96, 32, 32]),
        ("1", [96, 16, 16]),
        ("3", [192, 16, 16]),
        ("4", [192, 8, 8]),
        ("6", [10, 8, 8]),
        ("7", [10, 1, 1]),
    ];
    check(nin_cifar(10).at_usual_input()?, &cifar)
}

#[test]
fn names() -> Result<()> {
    let book = nin_d2l(10).at_usual_input()?;
    assert_eq!(book.tensor("2.0.weight").map(|tensor| tensor.dims.clone()), Some(vec![256, 96, 5, 5]));
    assert_eq!(book.tensor("7.4.bias").map(|tensor| tensor.dims.clone()), Some(vec![10]));
    let shallow = nin_one_1x1_d2l(10).at_usual_input()?;
    assert_eq!(shallow.tensor("7.2.bias").map(|tensor| tensor.dims.clone()), Some(vec![10]));
    assert_eq!(shallow.tensor("7.4.bias").map(|tensor| tensor.dims.clone()), None);
    let cifar = nin_cifar(10).at_usual_input()?;
    assert_eq!(cifar.tensor("0.2.weight").map(|tensor| tensor.dims.clone()), Some(vec![160, 192, 1, 1]));
    Ok(())
}

#[test]
fn the_authors_initialisation() -> Result<()> {
    let network = nin(1000).at_usual_input()?;
    for tensor in network.tensors() {
        let fine = ["0.0.weight", "4.0.weight", "7.4.weight"].contains(&tensor.name.as_str());
        let expected = match tensor.name.ends_with(".bias") {
            true => Init::Constant(0.0),
            false => Init::Normal { std: if fine { 0.01 } else { 0.05 } },
        };
        assert_eq!(tensor.init, expected, "{}", tensor.name);
    }
    Ok(())
}

#[test]
fn other_inputs_and_other_classes() -> Result<()> {
    let network = nin_d2l(7).at([3, 195, 251])?;
    assert_eq!(network.node_at("7")?.shape.dims(), [7, 5, 6]);
    assert_eq!(network.node_at("9")?.shape.dims(), [7]);
    assert_eq!(network.tensor("0.0.weight").map(|tensor| tensor.dims.clone()), Some(vec![96, 3, 11, 11]));
    let network = nin_cifar(100).at([1, 28, 40])?;
    assert_eq!(network.node_at("6")?.shape.dims(), [100, 7, 10]);
    Ok(())
}
