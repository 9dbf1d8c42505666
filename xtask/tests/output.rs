//! Output that nobody takes, and files that are no files.
#![cfg(target_os = "linux")]

use crate::common::{Failure, classic_files, error_of, path};
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program with a full device as its standard output, and as its standard error too.
fn full(args: &[&str], error_too: bool) -> Result<Output, Failure> {
    let full = || OpenOptions::new().write(true).open("/dev/full");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(args).env_remove("CARGO").stdout(full()?);
    if error_too {
        command.stderr(full()?);
    }
    Ok(command.output()?)
}

#[test]
fn a_full_device_is_a_sentence_and_no_panic() -> Result<(), Failure> {
    let commands: [&[&str]; 6] = [
        &["list"],
        &["recipes"],
        &["recipes", "mnist"],
        &["summary", "lenet"],
        &["summary", "lenet", "--json"],
        &["compare", "lenet", "mnist_mlp"],
    ];
    for args in commands {
        let output = full(args, false)?;
        let text = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert_eq!(text, "error: standard output: No space left on device (os error 28)\n", "{args:?}");
        assert_eq!(full(args, true)?.status.code(), Some(1), "{args:?}");
        let mut shell = Command::new("sh");
        let closed = shell.args(["-c", "exec \"$0\" \"$@\" >&-", env!("CARGO_BIN_EXE_xtask")]).args(args).output()?;
        assert!(!String::from_utf8_lossy(&closed.stderr).contains("panicked"), "{args:?}");
        assert_ne!(closed.status.code(), Some(101), "{args:?}");
    }
    Ok(())
}

#[test]
fn a_training_goes_on_when_nobody_takes_its_output() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 40, 3)?;
    let run = folder.path().join("run");
    let args = ["train", "mnist_mlp", "--dataset", "mnist", "--data-dir", path(folder.path()), "--epochs", "3"];
    let args = [&args, &["--out", path(&run)][..]].concat();
    // It is known before the first step, and so nothing is lost.
    let output = full(&args, false)?;
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));

    // A reader that goes away after the first epoch.
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let mut child = command.args(&args).env_remove("CARGO").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut out = child.stdout.take().ok_or("no output")?;
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("writing to") {
        let mut byte = [0];
        assert_eq!(std::io::Read::read(&mut out, &mut byte)?, 1);
        seen.push(byte[0]);
    }
    drop(out);
    let ended = child.wait_with_output()?;
    assert_eq!(String::from_utf8(ended.stderr)?, "");
    assert_eq!(ended.status.code(), Some(141));
    assert_eq!(std::fs::read_to_string(run.join("metrics.jsonl"))?.lines().count(), 3);
    Ok(())
}

#[test]
fn only_regular_files_are_replaced() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status()?.success());
    for out in [Path::new("/dev/null"), folder.path(), &pipe] {
        let args = ["augment", "--augment", "flip", "--images", "1", "--count", "1", "--out", path(out)];
        let message = error_of(&args)?;
        assert!(message.starts_with(&format!("{}: cannot write: it is a ", out.display())), "{message}");
    }
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
    Ok(())
}

#[test]
fn files_without_an_end_are_not_read() -> Result<(), Failure> {
    let zero = "/dev/zero";
    let message = error_of(&["train", "lenet", "--recipe", zero])?;
    assert!(message.starts_with("/dev/zero: cannot read: expected a regular file"), "{message}");
    for args in [
        &["train", "lenet", "--init", zero][..],
        &["eval", "lenet", "--weights", zero],
        &["forward", "lenet", "--weights", zero, "--input", zero, "--output", "y"],
    ] {
        let message = error_of(args)?;
        assert!(message.contains(zero) && message.contains("expected a regular file"), "{message}");
    }
    Ok(())
}
