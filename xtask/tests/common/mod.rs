//! What the tests of the program share.
#![allow(dead_code, reason = "each test program takes what it needs")]

use std::path::Path;
use std::process::{Command, Output};

pub type Failure = Box<dyn std::error::Error>;

/// Runs the program.
pub fn xtask(args: &[&str]) -> Result<Output, Failure> {
    Ok(Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).env_remove("CARGO").output()?)
}

/// The one line of an error: a failing exit code, no panic, nothing else on standard error.
pub fn error_of(args: &[&str]) -> Result<String, Failure> {
    error_from(args, xtask(args)?)
}

/// As [`error_of`], of what the program gave.
pub fn error_from(args: &[&str], output: Output) -> Result<String, Failure> {
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
    assert!(!text.contains("panicked"), "{args:?}: {text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1, "{args:?}: {text}");
    Ok(lines[0].strip_prefix("error: ").ok_or("no `error: `")?.to_string())
}

/// What a command that succeeds says on standard output, and on standard error.
pub fn outputs(args: &[&str]) -> Result<[String; 2], Failure> {
    let output = xtask(args)?;
    let [printed, beside] = [output.stdout, output.stderr].map(String::from_utf8);
    let (printed, beside) = (printed?, beside?);
    assert!(output.status.success(), "{args:?}: {printed}{beside}");
    Ok([printed, beside])
}

/// Both, one after the other.
pub fn said(args: &[&str]) -> Result<String, Failure> {
    Ok(outputs(args)?.concat())
}

/// What it says on standard output alone.
pub fn printed(args: &[&str]) -> Result<String, Failure> {
    let [printed, _] = outputs(args)?;
    Ok(printed)
}

/// Writes grey pictures of 28×28, so many of each class, each class of its own shade.
pub fn shades(folder: &Path, classes: &[&str], each: u8) -> Result<(), Failure> {
    for (shade, class) in (1..).zip(classes) {
        std::fs::create_dir_all(folder.join(class))?;
        for number in 0..each {
            let picture = image::GrayImage::from_pixel(28, 28, image::Luma([70 * shade + number]));
            picture.save(folder.join(class).join(format!("{number}.png")))?;
        }
    }
    Ok(())
}

/// A path as an argument.
pub fn path(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// The four classic files with `n` images each; pixels and labels by `fill`.
pub fn classic_files(folder: &Path, n: u32, label: u8) -> Result<(), Failure> {
    for part in ["train", "t10k"] {
        let header = |magic: u32, dims: &[u32]| {
            [vec![magic], dims.to_vec()].concat().iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<u8>>()
        };
        // No image to judge is one to train on.
        let pixels = (0..n * 28 * 28).map(|i| (i * 37 % 251) as u8 ^ u8::from(part == "t10k"));
        std::fs::write(
            folder.join(format!("{part}-images-idx3-ubyte")),
            header(0x803, &[n, 28, 28]).into_iter().chain(pixels).collect::<Vec<u8>>(),
        )?;
        let labels = (0..n).map(|i| if i == n - 1 { label } else { (i % 10) as u8 });
        std::fs::write(
            folder.join(format!("{part}-labels-idx1-ubyte")),
            header(0x801, &[n]).into_iter().chain(labels).collect::<Vec<u8>>(),
        )?;
    }
    Ok(())
}
