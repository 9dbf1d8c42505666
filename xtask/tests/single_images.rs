//! Batches of a single image: trained on wherever every normalisation sees more than one value per channel.

use crate::common::{Failure, classic_files, error_of, path, xtask};
use std::path::Path;

/// Trains an epoch; what it said on standard error, and the figures of the epoch.
fn epoch(data: &Path, out: &Path, args: &[&str]) -> Result<(String, serde_json::Value), Failure> {
    let common = ["--dataset", "mnist", "--data-dir", path(data), "--epochs", "1", "--no-report", "--out", path(out)];
    let output = xtask(&[&["train"], args, &common].concat())?;
    let said = String::from_utf8(output.stderr)?;
    assert!(output.status.success(), "{args:?}: {said}");
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl"))?;
    Ok((said, serde_json::from_str(&metrics)?))
}

#[test]
fn a_single_image_trains_where_maps_are_larger_than_one_value() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 5, 3)?;
    let run = |name: &str, args: &[&str]| epoch(folder.path(), &folder.path().join(name), args);
    let steps = |name: &str| -> Result<Vec<String>, Failure> {
        let entries = std::fs::read_dir(folder.path().join(name).join("checkpoints"))?;
        entries.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default())).collect()
    };
    let network = ["resnet20_cifar", "--exact", "--batch-size"];
    for (name, size, count) in [("one", "1", 5), ("two", "2", 3)] {
        let (said, figures) = run(name, &[&network[..], &[size]].concat())?;
        assert!(!said.contains("left out"), "{said}");
        assert!(figures["train_loss"].as_f64().is_some_and(|loss| loss > 0.0), "{figures}");
        assert_eq!(steps(name)?, [format!("step-{count:08}-epoch-0001")]);
    }
    // The last group has the image that is left over.
    let (said, _) = run("group", &[&network[..], &["1", "--accumulate", "4"]].concat())?;
    assert!(!said.contains("left out"), "{said}");
    assert_eq!(steps("group")?, ["step-00000002-epoch-0001"]);
    Ok(())
}

#[test]
fn a_single_value_per_channel_is_refused_or_left_out_with_a_word() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 5, 3)?;
    // At 32×32 the last stage has maps of a single value.
    let network = ["resnet18", "--exact", "--resize", "32", "--batch-size"];
    let out = folder.path().join("none");
    let data = ["--dataset", "mnist", "--data-dir", path(folder.path()), "--out", path(&out)];
    let message = error_of(&[&["train"], &network[..], &["1"], &data].concat())?;
    let expected = "batch size 1 gives layer4.0.bn1 a single value per channel, which cannot be normalised: 2 can";
    assert_eq!(message, expected);
    assert!(!out.exists());

    let (said, figures) = epoch(folder.path(), &folder.path().join("two"), &[&network[..], &["2"]].concat())?;
    assert!(said.contains("a batch of a single image is left out of each epoch: layer4.0.bn1"), "{said}");
    assert!(figures["train_loss"].as_f64().is_some_and(|loss| loss > 0.0), "{figures}");

    // What is frozen goes by its running statistics.
    let frozen = [&network[..], &["1", "--freeze", "layer4"]].concat();
    let (said, figures) = epoch(folder.path(), &folder.path().join("frozen"), &frozen)?;
    assert!(!said.contains("left out"), "{said}");
    assert!(figures["train_loss"].as_f64().is_some_and(|loss| loss > 0.0), "{figures}");
    Ok(())
}
