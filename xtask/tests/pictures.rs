//! Weights and pictures in, answers out.

use crate::common::{Failure, error_of, path, printed, xtask};
use cnn_data::{DigitsConfig, digits};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Drawn digits as PNG files, with their labels.
fn drawn(folder: &Path, count: usize) -> Result<Vec<(PathBuf, u32)>, Failure> {
    let data = digits(DigitsConfig { train: 1, test: count, seed: 41 })?;
    let mut files = Vec::new();
    for index in 0..count {
        let path = folder.join(format!("{index:03}.png"));
        std::fs::write(&path, data.test().picture(index)?.png()?)?;
        files.push((path, data.test().labels()[index]));
    }
    Ok(files)
}

#[test]
fn pictures_are_answered_without_a_file_of_weights() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let files = drawn(folder.path(), 30)?;
    let csv = printed(&["predict", path(folder.path()), "--top", "1", "--csv"])?;
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("image,rank,class,index,probability,error"));
    let mut right = 0;
    for (line, (file, label)) in lines.by_ref().zip(&files) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!((fields[0], fields[1], fields[5]), (path(file), "1", ""));
        right += usize::from(fields[2] == label.to_string());
    }
    assert!(lines.next().is_none() && right >= 25, "{right} of 30");
    let json: serde_json::Value = serde_json::from_str(&printed(&["predict", path(&files[0].0), "--json"])?)?;
    assert_eq!(json[0]["answers"].as_array().map(Vec::len), Some(5));
    // A probability is a number of 32 bits, and is written as one.
    let probability = json[0]["answers"][0]["probability"].as_f64().ok_or("no probability")?;
    assert_eq!(probability, (probability as f32).to_string().parse::<f64>()?);

    // A picture on standard input gives what its file gives.
    let bytes = std::fs::read(&files[0].0)?;
    let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["predict", "lenet", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    child.stdin.take().ok_or("no standard input")?.write_all(&bytes)?;
    let piped: serde_json::Value = serde_json::from_slice(&child.wait_with_output()?.stdout)?;
    assert_eq!(piped[0]["answers"], json[0]["answers"]);
    Ok(())
}

#[test]
fn a_picture_without_an_answer_is_named_and_the_others_have_theirs() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let files = drawn(folder.path(), 3)?;
    std::fs::write(&files[1].0, "no picture")?;
    std::fs::create_dir(folder.path().join("folder.png"))?;
    let output = xtask(&["predict", path(folder.path()), "--csv", "--top", "1"])?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(text.lines().count(), 4);
    assert!(
        text.lines().nth(2).is_some_and(|line| line.starts_with(&format!("{},,,,,", files[1].0.display()))),
        "{text}"
    );
    let none = folder.path().join("none.png");
    let said = String::from_utf8(xtask(&["predict", path(&none)])?.stderr)?;
    assert!(said.ends_with(&format!("error: {}: no such file\n", none.display())), "{said}");
    let said = String::from_utf8(xtask(&["predict", path(&files[0].0), "--max-pixels", "783"])?.stderr)?;
    assert!(said.contains("expected at most 783 pixels, found 28×28"), "{said}");
    let out = path(folder.path()).to_string() + "/out.npy";
    for command in [&["predict", "-", path(&files[0].0)][..], &["features", "-", "--out", &out]] {
        let said = String::from_utf8(xtask(command)?.stderr)?;
        let message = said.lines().last().and_then(|line| line.strip_prefix("error: ")).ok_or("no error")?;
        assert!(
            message.starts_with("- is standard input, which `predict` reads, and then no other picture: "),
            "{message}"
        );
    }
    let message = error_of(&["predict", "lenet", path(&files[0].0), "--weights", "lenett"])?;
    assert!(message.starts_with("lenett: no file, no run's folder and no weights of that name; did you mean lenet"));
    Ok(())
}

/// What reads JSON gets a list, or nothing at all.
#[test]
fn a_list_is_not_begun_for_pictures_that_are_not_there() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (none, broken) = (folder.path().join("none.png"), folder.path().join("broken.png"));
    std::fs::write(&broken, "no picture")?;
    for form in ["--json", "--csv"] {
        let output = xtask(&["predict", path(&none), form])?;
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "{form}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let output = command.args(["predict", "-", form]).stdin(std::fs::File::open(&broken)?).output()?;
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "{form}");
    }
    Ok(())
}

/// The list holds what was answered until then.
#[test]
#[cfg(unix)]
fn an_interrupt_leaves_a_whole_list() -> Result<(), Failure> {
    use rustix::process::{Pid, Signal, kill_process};
    let folder = tempfile::tempdir()?;
    let file = drawn(folder.path(), 1)?.swap_remove(0).0;
    let all = 3000;
    for copy in 0..all {
        std::fs::hard_link(&file, folder.path().join(format!("copy-{copy:04}.png")))?;
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["predict", path(folder.path()), "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut out = program.stdout.take().ok_or("no standard output")?;
    // More than a pipe holds is to be printed, so that it waits to be read when the signal comes.
    let mut text = vec![0; 1000];
    out.read_exact(&mut text)?;
    kill_process(Pid::from_child(&program), Signal::TERM)?;
    std::thread::sleep(std::time::Duration::from_millis(200));
    out.read_to_end(&mut text)?;
    assert_eq!(program.wait()?.code(), Some(1));
    let list: serde_json::Value = serde_json::from_slice(&text)?;
    assert!(list.as_array().is_some_and(|list| !list.is_empty() && list.len() < all), "{list}");
    Ok(())
}

#[test]
fn features_are_written_and_weights_are_exported() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures)?;
    drawn(&pictures, 4)?;
    let out = folder.path().join("features.npy");
    printed(&["features", "lenet", path(&pictures), "--out", path(&out)])?;
    let bytes = std::fs::read(&out)?;
    assert!(bytes.starts_with(b"\x93NUMPY") && String::from_utf8_lossy(&bytes[..128]).contains("(4, 84"));
    let out = folder.path().join("features.txt");
    let message = error_of(&["features", "lenet", path(&pictures), "--out", path(&out)])?;
    assert!(message.ends_with("a file that ends in .safetensors or .npy can be written"), "{message}");
    let onnx = folder.path().join("lenet.onnx");
    let text = printed(&["export", "lenet", "--onnx", path(&onnx), "--normalise", "bytes"])?;
    assert!(text.contains("lenet, pixels N×1×32×32"), "{text}");
    assert!(std::fs::metadata(&onnx)?.len() > 240_000);
    Ok(())
}

#[test]
fn a_folder_is_judged_by_the_names_of_its_classes() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures)?;
    // Two of the ten classes: as folders they are 0 and 1, whatever the weights say.
    let judged = folder.path().join("judged");
    for (file, label) in drawn(&pictures, 80)?.into_iter().filter(|(_, label)| [3, 8].contains(label)) {
        let class = judged.join(label.to_string());
        std::fs::create_dir_all(&class)?;
        std::fs::copy(&file, class.join(file.file_name().ok_or("no name")?))?;
    }
    let dataset = format!("folder:{}", judged.display());
    let json: serde_json::Value = serde_json::from_str(&printed(&["eval", "lenet", "--dataset", &dataset, "--json"])?)?;
    let accuracy = json["accuracy"].as_f64().ok_or("no accuracy")?;
    assert!(accuracy > 0.8, "{accuracy}");
    assert_eq!(json["classes"].as_array().map(Vec::len), Some(10));
    std::fs::rename(judged.join("8"), judged.join("eight"))?;
    let message = error_of(&["eval", "lenet", "--dataset", &dataset])?;
    assert!(message.starts_with("\"eight\" is no class of the weights"), "{message}");
    Ok(())
}

/// What a PNG holds beside its pixels is bounded too: a profile of colours of 400 MB, packed into 400 kB.
#[test]
#[cfg(target_os = "linux")]
fn a_profile_of_colours_has_a_bound() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = drawn(folder.path(), 1)?.swap_remove(0).0;
    let picture = std::fs::read(&file)?;
    let mut packed = flate2::write::ZlibEncoder::new(b"iCCPa\0\0".to_vec(), flate2::Compression::fast());
    for _ in 0..400 {
        packed.write_all(&[0; 1_000_000])?;
    }
    let chunk = packed.finish()?;
    let length = u32::try_from(chunk.len() - 4)?.to_be_bytes();
    // Behind the signature and the head.
    let whole = [&picture[..33], &length, &chunk, &crc32fast::hash(&chunk).to_be_bytes(), &picture[33..]].concat();
    std::fs::write(&file, whole)?;
    let script = "ulimit -v 500000; exec \"$0\" predict \"$1\" --threads 1 --csv";
    let mut command = Command::new("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_xtask"), path(&file)]).env_remove("CARGO");
    let output = command.output()?;
    let text = String::from_utf8([output.stdout, output.stderr].concat())?;
    // Read without its profile, or refused in a sentence.
    let refused = output.status.code() == Some(1) && text.contains("max-pixels");
    assert!(output.status.success() || refused, "{:?}: {text}", output.status);
    Ok(())
}
