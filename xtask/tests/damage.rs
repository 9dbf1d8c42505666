//! Checkpoints that are damaged: whatever byte it is, the run does not go on from them.

use crate::common::{Failure, classic_files, error_of, path, xtask};
use std::path::{Path, PathBuf};

const FILES: [&str; 4] = ["weights.safetensors", "average.safetensors", "state.safetensors", "checksums"];

/// A run of two epochs with momentum and an average, and the checkpoint of its first.
struct Run {
    folder: tempfile::TempDir,
    run: PathBuf,
}

impl Run {
    fn new() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        classic_files(folder.path(), 40, 3)?;
        let run = folder.path().join("run");
        let data = ["--dataset", "mnist", "--data-dir", path(folder.path()), "--no-report"];
        let args = [
            "train",
            "mnist_mlp",
            "--epochs",
            "2",
            "--keep",
            "9",
            "--batch-size",
            "10",
            "--average",
            "0.9",
            "--out",
            path(&run),
        ];
        let output = xtask(&[&args, &data[..]].concat())?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(Self { folder, run })
    }

    /// A copy with these of its checkpoints.
    fn copy(&self, name: &str, checkpoints: &[&str]) -> Result<PathBuf, Failure> {
        let copy = self.folder.path().join(name);
        for checkpoint in checkpoints {
            let to = copy.join("checkpoints").join(checkpoint);
            std::fs::create_dir_all(&to)?;
            for file in FILES {
                std::fs::copy(self.run.join("checkpoints").join(checkpoint).join(file), to.join(file))?;
            }
        }
        for file in ["recipe.toml", "config.json"] {
            std::fs::copy(self.run.join(file), copy.join(file))?;
        }
        Ok(copy)
    }
}

const FIRST: &str = "step-00000004-epoch-0001";
const SECOND: &str = "step-00000008-epoch-0002";

/// What may happen to a file.
fn damages(whole: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut damages = Vec::new();
    let places = (0..whole.len()).step_by((whole.len() / 9).max(1)).chain([0, 7, 8, whole.len() - 1]);
    for place in places {
        let mut bytes = whole.to_vec();
        bytes[place] ^= 1 << (place % 8);
        damages.push((format!("byte {place}"), bytes));
    }
    damages.push(("cut".to_string(), whole[..whole.len() / 2].to_vec()));
    damages.push(("cut by one".to_string(), whole[..whole.len() - 1].to_vec()));
    damages.push(("longer".to_string(), [whole, &[0]].concat()));
    damages.push(("empty".to_string(), Vec::new()));
    let mut sector = whole.to_vec();
    let middle = whole.len() / 2;
    let end = (middle + 512).min(whole.len());
    sector[middle..end].fill(0);
    if sector != whole {
        damages.push(("a sector of zeros".to_string(), sector));
    }
    damages
}

#[test]
fn whatever_is_damaged_is_refused_with_its_file() -> Result<(), Failure> {
    let run = Run::new()?;
    let copy = run.copy("copy", &[FIRST])?;
    let mut refused = 0;
    for file in FILES {
        let file = copy.join("checkpoints").join(FIRST).join(file);
        let whole = std::fs::read(&file)?;
        for (what, bytes) in damages(&whole) {
            std::fs::write(&file, bytes)?;
            let message = error_of(&["train", "--resume", path(&copy), "--no-report"])?;
            assert!(message.starts_with(&format!("{}: damaged: ", file.display())), "{what}: {message}");
            assert!(message.contains("no older checkpoint is whole; begin anew with --recipe"), "{what}: {message}");
            refused += 1;
        }
        std::fs::remove_file(&file)?;
        let message = error_of(&["train", "--resume", path(&copy), "--no-report"])?;
        assert!(message.starts_with(&format!("{}: damaged: ", file.display())), "{message}");
        std::fs::write(&file, whole)?;
    }
    assert!(refused > 40, "{refused}");
    // Whole again, it goes on.
    let output = xtask(&["train", "--resume", path(&copy), "--no-report"])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn an_older_checkpoint_takes_the_place_of_a_damaged_one() -> Result<(), Failure> {
    let run = Run::new()?;
    let copy = run.copy("copy", &[FIRST, SECOND])?;
    let state = copy.join("checkpoints").join(SECOND).join("state.safetensors");
    let mut bytes = std::fs::read(&state)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&state, bytes)?;
    let output = xtask(&["train", "--resume", path(&copy), "--no-report", "--keep", "9"])?;
    let warning = String::from_utf8(output.stderr)?;
    assert!(output.status.success(), "{warning}");
    let expected = format!("{}: damaged: contents and checksum do not agree; going on from the older", state.display());
    assert!(warning.contains(&expected) && warning.contains(FIRST), "{warning}");
    let read = |folder: &Path| std::fs::read(folder.join("last.safetensors"));
    assert!(read(&copy)? == read(&run.run)?);
    // The damaged one is out of the way, and the whole one in its place.
    assert!(copy.join("checkpoints").join(format!("damaged-{SECOND}")).exists());
    let whole = |folder: &Path| std::fs::read(folder.join("checkpoints").join(SECOND).join("weights.safetensors"));
    assert!(whole(&copy)? == whole(&run.run)?);
    Ok(())
}

/// The best of the epochs left may have no checkpoint: its file was written over by a better one, which is lost.
#[test]
fn best_weights_of_a_lost_epoch_are_told() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    classic_files(place.path(), 40, 3)?;
    let run = place.path().join("run");
    let data = ["train", "mnist_mlp", "--dataset", "mnist", "--data-dir", path(place.path()), "--batch-size", "10"];
    // Of equal epochs the first is the best.
    let output = xtask(&[&data[..], &["--epochs", "3", "--keep", "9", "--lr", "1e-30", "--out", path(&run)]].concat())?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut checkpoints: Vec<PathBuf> =
        std::fs::read_dir(run.join("checkpoints"))?.map(|entry| Ok(entry?.path())).collect::<Result<_, Failure>>()?;
    checkpoints.sort();
    let [first, _, third] = &checkpoints[..] else { return Err(format!("{checkpoints:?}").into()) };
    std::fs::remove_dir_all(first)?;
    std::fs::remove_file(third.join("checksums"))?;
    let warnings = || -> Result<String, Failure> {
        Ok(String::from_utf8(xtask(&["train", "--resume", path(&run), "--no-report"])?.stderr)?)
    };
    let metrics = run.join("metrics.jsonl");
    let text = std::fs::read_to_string(&metrics)?;
    let mut epochs: Vec<serde_json::Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    epochs[2]["test_accuracy"] = 1.0.into();
    std::fs::write(&metrics, epochs.iter().map(|epoch| format!("{epoch}\n")).collect::<String>())?;
    let told = "best.safetensors: of epoch 3, which the run has lost; weights of epoch 1 are gone";
    assert!(warnings()?.contains(told));
    // Now the figures are those of the epochs that the run has.
    assert!(!warnings()?.contains("which the run has lost"));
    Ok(())
}

#[test]
fn a_checkpoint_without_checksums_is_refused() -> Result<(), Failure> {
    let run = Run::new()?;
    let copy = run.copy("copy", &[FIRST])?;
    std::fs::remove_file(copy.join("checkpoints").join(FIRST).join("checksums"))?;
    let message = error_of(&["train", "--resume", path(&copy)])?;
    assert!(message.contains("missing, as in the checkpoints of earlier versions"), "{message}");
    Ok(())
}
