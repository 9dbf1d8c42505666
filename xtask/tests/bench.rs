//! `bench` and `race` as their users meet them.

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Output, Stdio};

type Failure = Box<dyn std::error::Error>;

fn xtask(args: &[&str]) -> Result<Output, Failure> {
    Ok(Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).output()?)
}

fn refused(args: &[&str]) -> Result<String, Failure> {
    let output = xtask(args)?;
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{args:?}: {text}");
    Ok(text.trim_end().strip_prefix("error: ").ok_or("no `error: `")?.to_string())
}

fn json(args: &[&str]) -> Result<Value, Failure> {
    let output = xtask(args)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "a bar where nobody watches");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Otherwise the time is that of other work than training's.
#[test]
fn images_are_loaded_as_they_are_trained_on() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let digits = cnn_data::digits(cnn_data::DigitsConfig { train: 1, test: 8, seed: 41 })?;
    for index in 0..8 {
        let class = folder.path().join(if index % 2 == 0 { "even" } else { "odd" });
        std::fs::create_dir_all(&class)?;
        std::fs::write(class.join(format!("{index}.png")), digits.test().picture(index)?.png()?)?;
    }
    let folder = folder.path().to_str().ok_or("no text")?;
    let found = json(&["bench", "lenet", "--load", folder, "--batch", "2", "--runs", "2", "--json"])?;
    assert_eq!(found["input"][0], 1, "grey images for a network that reads grey: {found}");
    let found = json(&["bench", "resnet20_cifar", "--load", folder, "--batch", "2", "--runs", "2", "--json"])?;
    assert_eq!(found["input"][0], 3, "grey images for a network that reads colours: {found}");
    Ok(())
}

#[test]
fn the_times_as_json() -> Result<(), Failure> {
    let args = ["bench", "lenet", "--batch", "4", "--shape", "1,28,28", "--threads", "2", "--runs", "3", "--json"];
    for train in [false, true] {
        let args = if train { [&args[..], &["--train"]].concat() } else { args.to_vec() };
        let found = json(&args)?;
        let keys: BTreeSet<&str> = found.as_object().ok_or("no object")?.keys().map(String::as_str).collect();
        let expected = [
            "network",
            "shape",
            "classes",
            "batch",
            "train",
            "dropout",
            "threads",
            "engine",
            "mode",
            "median_ms",
            "min_ms",
            "runs",
            "images_per_second",
            "gflops",
            "peak_rss_bytes",
            "base_rss_bytes",
        ];
        assert_eq!(keys, BTreeSet::from(expected));
        assert_eq!(found["network"], "lenet");
        assert_eq!(found["shape"], serde_json::json!([1, 28, 28]));
        assert_eq!((&found["batch"], &found["threads"], &found["runs"]), (&4.into(), &2.into(), &3.into()));
        assert_eq!((&found["engine"], &found["mode"]), (&"plan".into(), &"f32".into()));
        assert_eq!((&found["train"], &found["dropout"]), (&train.into(), &false.into()));
        let number = |key: &str| found[key].as_f64().ok_or(format!("{key} is no number"));
        assert!(number("min_ms")? > 0.0 && number("median_ms")? >= number("min_ms")?, "{found}");
        assert!(number("images_per_second")? > 0.0 && number("gflops")? > 0.0, "{found}");
        if cfg!(target_os = "linux") {
            assert!(number("peak_rss_bytes")? >= number("base_rss_bytes")?, "{found}");
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_is_one_sentence() -> Result<(), Failure> {
    assert!(refused(&["bench", "lenett"])?.starts_with("there is no network lenett; did you mean lenet"));
    let message = refused(&["bench", "lenet", "--shape", "1,10,10"])?;
    assert_eq!(message, "conv2: kernel 5×5 exceeds padded input 3×3 (input 3×3)");
    let message = refused(&["bench", "resnet18", "--shape", "3,32,32", "--train"])?;
    assert!(message.contains("batch norm"), "one value a channel: {message}");
    let message = refused(&["bench", "alexnet", "--batch", "100000", "--shape", "3,30000,30000"])?;
    assert!(message.starts_with("alexnet with 100000 images at a time does not fit: at least "), "{message}");
    // The images alone would fit.
    let message = refused(&["bench", "lenet", "--shape", "1,50000,50000"])?;
    assert!(message.starts_with("lenet with 1 images at a time does not fit: at least "), "{message}");
    for bad in [&["--batch", "0"][..], &["--runs", "0"], &["--mode", "f16"], &["--engine", "x"], &["--shape", "1,2"]] {
        let output = xtask(&[&["bench", "lenet"], bad].concat())?;
        assert_eq!(output.status.code(), Some(2), "{bad:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

#[test]
fn a_race_needs_a_python_that_answers() -> Result<(), Failure> {
    let message = refused(&["race", "--python", "/nowhere/python", "--case", "lenet:1"])?;
    assert!(message.starts_with("cannot run /nowhere/python: "), "{message}");
    if cfg!(unix) {
        let message = refused(&["race", "--python", "/bin/echo", "--case", "lenet:1"])?;
        assert!(message.starts_with("/bin/echo does not answer as a Python would"), "{message}");
    }
    let message = refused(&["race", "--case", "lenett:1"])?;
    assert!(message.starts_with("there is no network lenett"), "{message}");
    for bad in ["lenet", "lenet:0", "lenet:1:1,28", "lenet:1:1,28,28:10:1"] {
        assert_eq!(xtask(&["race", "--case", bad])?.status.code(), Some(2), "{bad}");
    }
    Ok(())
}

#[test]
fn a_served_step_is_timed_and_written() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("after.safetensors");
    let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["bench", "mnist_conv", "--batch", "3", "--train", "--serve"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut questions = child.stdin.take().ok_or("no standard input")?;
    writeln!(questions, "go\ncheck {}", file.display())?;
    drop(questions);
    let output = child.wait_with_output()?;
    assert!(output.status.success());
    let answers: Vec<Value> =
        String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(answers.len(), 3);
    assert!(answers[0].get("base_rss_bytes").is_some());
    assert!(answers[1]["ms"].as_f64().is_some_and(|ms| ms > 0.0));
    assert_eq!(answers[2], serde_json::json!({}));
    let bytes = std::fs::read(file)?;
    let names: BTreeSet<String> =
        safetensors::SafeTensors::deserialize(&bytes)?.names().iter().map(|name| name.to_string()).collect();
    let network = cnn_zoo::find("mnist_conv")?.architecture(10).at_usual_input()?;
    let expected = network.tensors().map(|spec| spec.name.clone()).chain(["loss".to_string()]);
    assert_eq!(names, expected.collect());
    Ok(())
}
