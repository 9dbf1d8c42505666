//! Nothing is written over what a command reads.

use crate::common::{Failure, classic_files, error_of, path};
use cnn_data::{DigitsConfig, digits};
use std::path::Path;
use std::process::Command;

/// Weights with their card, a picture, names of classes, and a tensor, each in a file of the folder.
fn inputs(folder: &Path) -> Result<(), Failure> {
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classifier/weights/lenet.safetensors");
    std::fs::copy(weights, folder.join("weights.safetensors"))?;
    let data = digits(DigitsConfig { train: 1, test: 1, seed: 41 })?;
    std::fs::write(folder.join("seven.png"), data.test().picture(0)?.png()?)?;
    std::fs::write(folder.join("names"), (0..10).map(|digit| format!("{digit}\n")).collect::<String>())?;
    Ok(std::fs::write(folder.join("input.safetensors"), "never read")?)
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
    let commands: [(Vec<&str>, &[&String]); 7] = [
        (vec!["convert", weights, "--out"], &[weights]),
        ([&["explain", seven][..], &known, &["--out"]].concat(), &[weights, seven, names]),
        ([&["explain", "--live"][..], &known, &["--out"]].concat(), &[weights, names]),
        (vec!["features", seven, "--weights", weights, "--out"], &[weights]),
        (vec!["export", "--weights", weights, "--onnx"], &[weights]),
        (vec!["forward", "lenet", "--weights", weights, "--input", input, "--output"], &[weights, input]),
        (vec!["calibrate", "--weights", weights, "--dataset", "digits", "--limit", "20", "--scales"], &[weights]),
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
