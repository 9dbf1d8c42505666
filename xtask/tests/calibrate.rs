//! `calibrate`, and the scales it writes in the commands that read them.

use crate::common::{Failure, error_from};
use std::path::Path;
use std::process::{Command, Output};

/// Runs a command in a folder.
fn xtask(folder: &Path, args: &[&str]) -> Result<Output, Failure> {
    Ok(Command::new(env!("CARGO_BIN_EXE_xtask")).current_dir(folder).args(args).output()?)
}

fn refused(folder: &Path, args: &[&str]) -> Result<String, Failure> {
    error_from(args, xtask(folder, args)?)
}

/// The first percentage of a line that begins so.
fn percentage(text: &str, begins: &str) -> Result<f64, Failure> {
    let line = text.lines().find(|line| line.starts_with(begins)).ok_or(format!("no {begins} in {text}"))?;
    let number = line[begins.len()..].split_whitespace().next().ok_or("no number")?;
    Ok(number.parse()?)
}

#[test]
fn scales_lie_beside_the_weights_and_are_those_weights_alone() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let folder = place.path();
    let eval = ["eval", "lenet", "--dataset", "digits", "--limit", "300", "--mode", "int8"];
    let message = refused(folder, &eval)?;
    let expected = "lenet.int8.json is not there: --mode int8 needs scales, which `cargo xtask calibrate lenet --dataset …` \
                    finds";
    assert_eq!(message, expected);

    let calibrate = ["calibrate", "lenet", "--dataset", "digits", "--limit", "300", "--images", "40"];
    let output = xtask(folder, &calibrate)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    let (exact, narrow) = (percentage(&said, "accuracy in f32 ")?, percentage(&said, "accuracy in int8 ")?);
    assert!((exact - narrow).abs() < 1.0 && exact > 90.0, "{said}");
    assert!(String::from_utf8(output.stderr)?.contains("taken on 40 images of those to train on"));

    // What eval finds with them is what was said.
    let output = xtask(folder, &eval)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(percentage(&String::from_utf8(output.stdout)?, "accuracy ")?, narrow);
    assert!(String::from_utf8(output.stderr)?.contains("by the scales of lenet.int8.json, found on 40 images"));

    // Pictures of other numbers have other ranges.
    let message = refused(folder, &[&eval[..], &["--mean", "0", "--std", "0.5"]].concat())?;
    assert!(message.starts_with("lenet.int8.json: its scales were found on pictures with mean "), "{message}");
    assert!(message.contains("here they have mean [0.0] and deviation [0.5]"), "{message}");

    let other = ["predict", "resnet20_cifar", "nothing.png", "--mode", "int8", "--scales", "lenet.int8.json"];
    assert_eq!(refused(folder, &other)?, "resnet20_cifar in int8: the scales are those of lenet");
    let message = refused(folder, &[&eval[..6], &["--scales", "lenet.int8.json"]].concat())?;
    assert_eq!(message, "lenet.int8.json: only --mode int8 reads scales");
    std::fs::write(folder.join("lenet.int8.json"), "{}")?;
    let message = refused(folder, &eval)?;
    assert!(message.starts_with("lenet.int8.json: it holds no ranges of a network in int8: "), "{message}");
    Ok(())
}

#[test]
fn bench_says_what_is_computed_in_f32_and_why() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let args = ["bench", "lenet_paper", "--mode", "int8", "--explain", "--runs", "2"];
    let output = xtask(place.path(), &args)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    assert!(said.contains("tanh, in f32: no kernel of narrow numbers") && said.contains("direct int8"), "{said}");
    let output = xtask(place.path(), &["bench", "lenet", "--mode", "int8", "--callers", "3", "--runs", "2"])?;
    let said = String::from_utf8(output.stdout)?;
    assert!(said.contains("one caller ") && said.contains("3 at once "), "{said}");
    Ok(())
}
