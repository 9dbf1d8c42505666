//! What a run's weights are judged on, when its data was moved, renamed or damaged.

use crate::common::{Failure, error_of, path, xtask};
use std::path::Path;

/// Grey pictures of 28×28, so many of each class, each class of its own shade.
fn pictures(folder: &Path, classes: &[&str], each: u8) -> Result<(), Failure> {
    for (shade, class) in (1..).zip(classes) {
        std::fs::create_dir_all(folder.join(class))?;
        for number in 0..each {
            let picture = image::GrayImage::from_pixel(28, 28, image::Luma([70 * shade + number]));
            picture.save(folder.join(class).join(format!("{number}.png")))?;
        }
    }
    Ok(())
}

/// What is printed and what is said beside it, of a command that succeeds.
fn said(args: &[&str]) -> Result<String, Failure> {
    let output = xtask(args)?;
    let text = String::from_utf8([output.stdout, output.stderr].concat())?;
    assert!(output.status.success(), "{args:?}: {text}");
    Ok(text)
}

fn train(data: &Path, out: &Path, more: &[&str]) -> Result<String, Failure> {
    said(&[&["train", "lenet", "--epochs", "2", "--dataset", path(data), "--out", path(out)], more].concat())
}

#[test]
fn data_that_moved_is_judged_as_the_run_did() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, moved] = ["data", "run", "moved"].map(|name| place.path().join(name));
    pictures(&data, &["a", "b"], 20)?;
    train(&data, &out, &["--test-share", "0.3"])?;
    let eval = |more: &[&str]| said(&[&["eval", path(&out), "--json"], more].concat());
    let number = |text: &str| -> Result<u64, Failure> {
        let json = text.lines().take_while(|line| *line != "}").collect::<Vec<_>>().join("\n") + "}";
        Ok(serde_json::from_str::<serde_json::Value>(&json)?["images"].as_u64().ok_or("no number")?)
    };
    let judged = number(&eval(&[])?)?;
    assert!((4..=20).contains(&judged), "{judged}");
    std::fs::rename(&data, &moved)?;
    let message = error_of(&["eval", path(&out)])?;
    assert!(
        message.contains("is gone, whose images the run set aside: --dataset says where they are now"),
        "{message}"
    );
    let text = eval(&["--dataset", path(&moved)])?;
    assert!(text.contains("these are the run's own images, in another place"), "{text}");
    assert_eq!(number(&text)?, judged);
    // Other images are judged whole.
    pictures(&moved, &["a", "b"], 21)?;
    let text = eval(&["--dataset", path(&moved)])?;
    assert!(!text.contains("own images") && number(&text)? == 42, "{text}");
    Ok(())
}

#[test]
fn a_report_matches_classes_by_name() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, other] = ["data", "run", "other"].map(|name| place.path().join(name));
    for split in ["train", "val"] {
        pictures(&data.join(split), &["a", "b", "c"], 6)?;
        pictures(&other.join(split), &["b", "c"], 5)?;
    }
    train(&data, &out, &[])?;
    let page = || std::fs::read(out.join("report/index.html"));
    let before = page()?;
    // A class in another place of the order.
    for split in ["train", "val"] {
        std::fs::rename(data.join(split).join("a"), data.join(split).join("z"))?;
    }
    let message = error_of(&["report", path(&out), "--dataset", path(&other.join("nowhere"))])?;
    assert!(message.contains("nowhere"), "{message}");
    let output = xtask(&["report", path(&out)])?;
    let text = String::from_utf8(output.stderr)?;
    assert!(!output.status.success() && text.contains("\"z\" is no class of the weights"), "{text}");
    assert!(page()? == before);
    // A part of the classes, in other places, is judged by their names.
    let text = said(&["report", path(&out), "--dataset", path(&other)])?;
    assert!(text.contains("1 of the 3 classes of the weights have no image: a"), "{text}");
    let classes = std::fs::read_to_string(out.join("report/classes.csv"))?;
    let images: Vec<&str> = classes.lines().skip(1).map(|line| line.split(',').nth(1).unwrap_or_default()).collect();
    assert_eq!(images, ["0", "5", "5"], "{classes}");
    Ok(())
}

#[test]
fn what_is_found_damaged_late_is_not_counted() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, damaged] = ["data", "run", "damaged"].map(|name| place.path().join(name));
    pictures(&data, &["a", "b"], 10)?;
    train(&data, &out, &["--no-report"])?;
    pictures(&damaged, &["a", "b"], 12)?;
    // Its head is whole.
    let file = damaged.join("a/3.png");
    let bytes = std::fs::read(&file)?;
    std::fs::write(&file, &bytes[..bytes.len() - 30])?;
    let text = said(&["eval", path(&out), "--dataset", path(&damaged), "--skip-damaged"])?;
    assert!(text.contains("on 24 images of") && text.contains("of which 1 is damaged and left out"), "{text}");
    Ok(())
}

#[test]
fn a_setting_is_said_once() -> Result<(), Failure> {
    let refused =
        |args: &[&str]| error_of(&[&["train", "lenet", "--limit", "40", "--out", "/dev/null/run"], args].concat());
    let message = refused(&["--epochs", "1", "--set", "epochs = 3"])?;
    assert_eq!(message, "a flag and --set say different things, epochs 1 → 3: leave one of them out");
    let message = refused(&["--freeze", "conv1", "--set", "freeze = [\"fc1\"]"])?;
    assert!(message.contains("a flag and --set say different things, freeze"), "{message}");
    let message = refused(&["--set", "epochs = 3", "--set", "epochs = 4"])?;
    assert_eq!(message, "--set 'epochs = 3' and a later --set say different things: leave one of them out");
    // The same twice is said once.
    let message = refused(&["--epochs", "3", "--set", "epochs = 3"])?;
    assert!(message.contains("/dev/null"), "{message}");
    Ok(())
}

#[test]
fn a_sweep_does_not_forget_another_and_fails_where_all_of_it_did() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("sweep");
    let sweep = |rates: &str| {
        let args = ["sweep", "lenet", "--set", "epochs = 1", "--limit", "40", "--lr", rates, "--out", path(&out)];
        args.map(str::to_string)
    };
    let args = sweep("0.01,0.02");
    said(&args.each_ref().map(String::as_str))?;
    let table = std::fs::read(out.join("sweep.csv"))?;
    let args = sweep("0.01,0.1");
    let message = error_of(&args.each_ref().map(String::as_str))?;
    assert!(message.contains("0.02 is a run of another sweep, whose table would be replaced"), "{message}");
    assert!(std::fs::read(out.join("sweep.csv"))? == table);
    let out = place.path().join("diverged");
    let output =
        xtask(&["sweep", "lenet", "--set", "epochs = 1", "--limit", "40", "--lr", "1e30", "--out", path(&out)])?;
    let text = String::from_utf8(output.stderr)?;
    assert!(output.status.code() == Some(1) && text.contains("error: every run diverged"), "{text}");
    Ok(())
}

#[test]
fn names_may_have_several_lines() -> Result<(), Failure> {
    let message = error_of(&["eval", "nothing\nhere/weights.safetensors"])?;
    assert!(message.contains("nothing\\nhere/weights.safetensors"), "{message}");
    Ok(())
}
