//! Nothing is written over what a command reads.

use crate::common::{Failure, classic_files, error_of, path};
use cnn_data::{DigitsConfig, digits};
use std::path::Path;
use std::process::Command;

/// Weights with their card, a picture, names of classes, a tensor, and scales, each in a file of the folder.
fn inputs(folder: &Path) -> Result<(), Failure> {
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classifier/weights/lenet.safetensors");
    std::fs::copy(weights, folder.join("weights.safetensors"))?;
    let data = digits(DigitsConfig { train: 1, test: 1, seed: 41 })?;
    std::fs::write(folder.join("seven.png"), data.test().picture(0)?.png()?)?;
    std::fs::write(folder.join("names"), (0..10).map(|digit| format!("{digit}\n")).collect::<String>())?;
    for file in ["input.safetensors", "weights.safetensors.int8.json", "scales.npy"] {
        std::fs::write(folder.join(file), "never read")?;
    }
    Ok(())
}

#[test]
fn nothing_is_written_over_what_is_read() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let folder = place.path();
    inputs(folder)?;
    let of = |name: &str| path(&folder.join(name)).to_string();
    let (weights, seven, names, input) =
        (&of("weights.safetensors"), &of("seven.png"), &of("names"), &of("input.safetensors"));
    let known = ["--weights", weights, "--class-names", names];
    let (beside, scales) = (&of("weights.safetensors.int8.json"), &of("scales.npy"));
    let forward = ["forward", "lenet", "--weights", weights, "--input", input];
    let features = ["features", seven, "--weights", weights];
    let commands: [(Vec<&str>, &[&String]); 9] = [
        (vec!["convert", weights, "--out"], &[weights]),
        ([&["explain", seven][..], &known, &["--out"]].concat(), &[weights, seven, names]),
        ([&["explain", "--live"][..], &known, &["--out"]].concat(), &[weights, names]),
        ([&features[..], &["--out"]].concat(), &[weights]),
        ([&features[..], &["--mode", "int8", "--scales", scales, "--out"]].concat(), &[weights, scales]),
        ([&["export"][..], &known, &["--onnx"]].concat(), &[weights, names]),
        ([&forward[..], &["--output"]].concat(), &[weights, input]),
        ([&forward[..], &["--mode", "int8", "--output"]].concat(), &[weights, input, beside]),
        (
            [&["calibrate", "--dataset", "digits", "--limit", "20"][..], &known, &["--scales"]].concat(),
            &[weights, names],
        ),
    ];
    for (command, read) in commands {
        for file in read {
            let before = std::fs::read(file)?;
            #[cfg(unix)]
            let link = {
                let link = folder.join("link.safetensors");
                let _ = std::fs::remove_file(&link);
                std::os::unix::fs::symlink(file, &link)?;
                path(&link).to_string()
            };
            #[cfg(not(unix))]
            let link = file.to_string();
            for output in [file, &link] {
                let said = error_of(&[&command[..], &[output]].concat())?;
                assert_eq!(
                    said,
                    format!("{output} is read by this command: give what is written another name"),
                    "{command:?}"
                );
                assert!(std::fs::read(file)? == before, "{command:?}");
            }
        }
    }
    Ok(())
}

/// Whether an image is among those drawn or not.
#[test]
fn nothing_is_written_over_an_image_of_a_data_set() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    inputs(place.path())?;
    let (folder, files) = (place.path().join("set"), place.path().join("files"));
    let pictures = ["1/a.png", "7/b.png", "7/c.png"].map(|name| folder.join(name));
    for picture in &pictures {
        std::fs::create_dir_all(picture.parent().ok_or("no parent")?)?;
        std::fs::copy(place.path().join("seven.png"), picture)?;
    }
    std::fs::create_dir(&files)?;
    classic_files(&files, 20, 3)?;
    let labels = files.join("t10k-labels-idx1-ubyte");
    let set = ["--dataset", path(&folder), "--limit", "2"];
    let classic = ["--dataset", "mnist", "--data-dir", path(&files), "--limit", "2"];
    for (data, read) in [(&set[..], &pictures[..]), (&classic, std::slice::from_ref(&labels))] {
        for (command, flag) in [("explain", "--out"), ("calibrate", "--scales")] {
            for file in read {
                let before = std::fs::read(file)?;
                let said = error_of(&[&[command, "lenet"], data, &[flag, path(file)]].concat())?;
                let expected = format!("{} is read by this command: give what is written another name", path(file));
                assert_eq!(said, expected, "{command}");
                assert!(std::fs::read(file)? == before, "{command}");
            }
        }
    }
    Ok(())
}

/// What cannot be written is said at once, not when all is computed: a picture that is none is not even read.
#[test]
fn what_cannot_be_written_is_known_before_anything_is_computed() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    inputs(place.path())?;
    let of = |name: &str| path(&place.path().join(name)).to_string();
    let (none, lost) = (&of("input.safetensors"), &of("no/such/folder.safetensors"));
    let forward = ["forward", "lenet", "--weights", &of("weights.safetensors"), "--input", none, "--output", lost];
    let calibrate = ["calibrate", "lenet", "--dataset", "digits", "--limit", "20", "--scales", lost];
    for command in [&["features", none, "--out", lost][..], &["explain", none, "--out", lost], &forward, &calibrate] {
        let system = std::io::Error::from_raw_os_error(2);
        assert_eq!(error_of(command)?, format!("{lost}: cannot write: {system}"), "{command:?}");
    }
    Ok(())
}

/// What stands beside this program is not what lies in a folder of the same name.
#[test]
fn weights_that_come_along_are_not_judged_as_a_run_of_their_name() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let run = |args: &[&str]| -> Result<_, Failure> {
        Ok(Command::new(env!("CARGO_BIN_EXE_xtask")).current_dir(place.path()).args(args).output()?)
    };
    let train = ["train", "lenet", "--limit", "40", "--epochs", "1", "--seed", "9", "--no-report", "--out", "lenet"];
    let output = run(&train)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = place.path().join("files");
    std::fs::create_dir(&files)?;
    classic_files(&files, 50, 3)?;
    for (source, judged) in [("./lenet", "digits"), ("lenet", "mnist")] {
        let files = if judged == "mnist" { &["--data-dir", "files"][..] } else { &[] };
        let output = run(&[&["eval", source], files].concat())?;
        let said = String::from_utf8([output.stdout, output.stderr].concat())?;
        assert!(output.status.success() && said.contains(&format!("of {judged}")), "{source}: {said}");
    }
    Ok(())
}
