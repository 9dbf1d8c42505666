//! A run that is killed, at whatever moment, goes on to the same bits.
#![cfg(unix)]

use crate::common::{Failure, classic_files, path};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const KILLS: usize = 50;

/// A run of some hundred milliseconds, most of them spent on checkpoints. Two heads' worth of state: the optimiser's
/// memory and an average; two batches a step; random crops.
const RUN: &[&str] = &[
    "train",
    "mnist_conv",
    "--dataset",
    "mnist",
    "--epochs",
    "5",
    "--batch-size",
    "8",
    "--accumulate",
    "2",
    "--optimizer",
    "adamw",
    "--average",
    "0.9",
    "--label-smoothing",
    "0.1",
    "--set",
    "augmentation.steps = [{ padded-crop = { padding = 2 } }]",
    "--checkpoint-steps",
    "2",
    "--keep",
    "2",
];

fn start(args: &[&str]) -> Result<Child, Failure> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    Ok(command.args(args).env_remove("CARGO").stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?)
}

/// What does not depend on how long anything took.
fn outcome(run: &Path) -> Result<[Vec<u8>; 2], Failure> {
    Ok([std::fs::read(run.join("best.safetensors"))?, std::fs::read(run.join("last.safetensors"))?])
}

/// Whatever has the name of a file of weights or of a checkpoint is whole.
fn assert_whole(run: &Path) -> Result<(), Failure> {
    let mut files: Vec<PathBuf> = ["best", "last"].map(|name| run.join(name).with_extension("safetensors")).into();
    files.retain(|file| file.exists());
    let checkpoints = run.join("checkpoints");
    if checkpoints.exists() {
        for entry in std::fs::read_dir(checkpoints)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("step-") {
                files.extend(["weights", "state"].map(|name| entry.path().join(name).with_extension("safetensors")));
            }
        }
    }
    for file in files {
        let bytes = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        safetensors::SafeTensors::deserialize(&bytes).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

#[test]
fn fifty_kills_change_no_bit() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 200, 3)?;
    fifty_kills(folder.path(), &[RUN, &["--data-dir", path(folder.path())]].concat())
}

/// The same with pictures in files, which another thread decodes, classes of different size and weight, random crops and
/// layers with learning rates of their own.
#[test]
#[ignore = "it takes minutes; run it by hand after a change to checkpoints, files or the writer"]
fn fifty_kills_change_no_bit_of_a_run_on_pictures() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let images = folder.path().join("pictures");
    for (class, count) in [("many", 120), ("some", 40), ("few", 12)] {
        std::fs::create_dir_all(images.join(class))?;
        for number in 0..count {
            let picture = image::RgbImage::from_fn(30, 28 + number % 3, |x, y| {
                image::Rgb([(x * count) as u8, (y * 9 + number) as u8, (x * y) as u8])
            });
            picture.save(images.join(class).join(format!("{number:03}.jpg")))?;
        }
    }
    let groups = "groups = [{ prefix = 'conv1.', learning-rate = 0.1, weight-decay = 0.0 }]";
    let own = ["--dataset", path(&images), "--resize", "28", "--class-weights", "auto", "--balance", "--set", groups];
    let others = RUN.iter().copied().filter(|word| !["--dataset", "mnist"].contains(word));
    fifty_kills(folder.path(), &[others.collect::<Vec<_>>(), own.to_vec()].concat())
}

/// Kills runs fifty times in all and lets each go on to its end, which must have the bits of a run that nobody killed.
fn fifty_kills(folder: &Path, run: &[&str]) -> Result<(), Failure> {
    let whole = folder.join("whole");
    let ended = start(&[run, &["--out", path(&whole)]].concat())?.wait_with_output()?;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let expected = outcome(&whole)?;

    let (mut kills, mut runs, mut random) = (0, 0, 0x2545_f491_4f6c_dd1d_u64);
    while kills < KILLS {
        runs += 1;
        let out = folder.join(format!("killed-{runs}"));
        let mut child = start(&[run, &["--out", path(&out)]].concat())?;
        loop {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            std::thread::sleep(Duration::from_millis(20 + random % 230));
            if child.try_wait()?.is_some() || kills == KILLS {
                break;
            }
            child.kill()?;
            kills += 1;
            child.wait()?;
            assert_whole(&out)?;
            child = match out.join("recipe.toml").exists() {
                true => start(&["train", "--resume", path(&out), "--checkpoint-steps", "2", "--keep", "2"])?,
                // Killed before there was anything to go on with.
                false => start(&[run, &["--out", path(&out), "--overwrite"]].concat())?,
            };
        }
        let ended = child.wait_with_output()?;
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(outcome(&out)? == expected, "run {runs}, {kills} kills so far");
    }
    println!("{kills} kills in {runs} runs");
    Ok(())
}

#[test]
fn a_run_that_is_over_stays_as_it_is() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 40, 3)?;
    let run = folder.path().join("run");
    let args = ["train", "mnist_mlp", "--dataset", "mnist", "--data-dir", path(folder.path()), "--epochs", "2"];
    let ended = start(&[&args, &["--out", path(&run)][..]].concat())?.wait_with_output()?;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let before = outcome(&run)?;
    // Its recipe runs again, elsewhere, to the same bits.
    let again = folder.path().join("again");
    let recipe = run.join("recipe.toml");
    for args in [
        ["train", "--resume", path(&run)].to_vec(),
        ["train", "--recipe", path(&recipe), "--out", path(&again)].to_vec(),
    ] {
        let ended = start(&args)?.wait_with_output()?;
        assert!(ended.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    assert!(outcome(&run)? == before && outcome(&again)? == before);
    Ok(())
}
