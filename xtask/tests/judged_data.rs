//! What a run's weights are judged on, when its data was moved, renamed or damaged.

use crate::common::{Failure, error_of, path, said, shades, xtask};
use std::path::Path;

fn train(data: &Path, out: &Path, more: &[&str]) -> Result<String, Failure> {
    said(&[&["train", "lenet", "--epochs", "2", "--dataset", path(data), "--out", path(out)], more].concat())
}

#[test]
fn data_that_moved_is_judged_as_the_run_did() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, moved] = ["data", "run", "moved"].map(|name| place.path().join(name));
    shades(&data, &["a", "b"], 20)?;
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
    shades(&moved, &["a", "b"], 21)?;
    let text = eval(&["--dataset", path(&moved)])?;
    assert!(!text.contains("own images") && number(&text)? == 42, "{text}");
    Ok(())
}

#[test]
fn a_report_matches_classes_by_name() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, other] = ["data", "run", "other"].map(|name| place.path().join(name));
    for split in ["train", "val"] {
        shades(&data.join(split), &["a", "b", "c"], 6)?;
        shades(&other.join(split), &["b", "c"], 5)?;
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
    assert!(text.contains("1 of the 3 classes of the weights has no image: a"), "{text}");
    let classes = std::fs::read_to_string(out.join("report-other-val/classes.csv"))?;
    let images: Vec<&str> = classes.lines().skip(1).map(|line| line.split(',').nth(1).unwrap_or_default()).collect();
    assert_eq!(images, ["0", "5", "5"], "{classes}");
    // The page says whose images they are, and the run's own stays as it was.
    let other = std::fs::read_to_string(out.join("report-other-val/index.html"))?;
    assert!(other.contains("<h1>lenet on data, judged on other/val</h1>"), "{other}");
    assert!(other.contains("on 10 images of other/val, not the run's own: "), "{other}");
    assert!(page()? == before);
    Ok(())
}

#[test]
fn what_is_found_damaged_late_is_not_counted() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, damaged] = ["data", "run", "damaged"].map(|name| place.path().join(name));
    shades(&data, &["a", "b"], 10)?;
    train(&data, &out, &["--no-report"])?;
    shades(&damaged, &["a", "b"], 12)?;
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
    let seeds = ["--set", "seed = 4", "--seed", "5"];
    let message = refused(&seeds)?;
    assert_eq!(message, "a flag and --set say different things, seed 5 → 4: leave one of them out");
    let sweep = ["sweep", "lenet", "--limit", "40", "--lr", "0.1", "--out", "/dev/null/sweep"];
    assert_eq!(error_of(&[&sweep[..], &seeds].concat())?, message);
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

/// What is said at the start is what is done.
#[test]
fn a_sweep_and_a_search_for_rates_say_what_they_judge() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out] = ["data", "out"].map(|name| place.path().join(name));
    for split in ["train", "val", "test"] {
        shades(&data.join(split), &["a", "b"], 6)?;
    }
    let sweep =
        ["sweep", "lenet", "--dataset", path(&data), "--lr", "0.01,0.05", "--set", "epochs = 1", "--out", path(&out)];
    let text = said(&sweep)?;
    assert!(text.contains("judged by no run of a sweep") && !text.contains("judged once at the end"), "{text}");
    assert!(text.contains(", but for what the sweep tries"), "{text}");
    let mut runs = std::fs::read_dir(&out)?.flatten().map(|entry| entry.path().join("metrics.jsonl"));
    let metrics = std::fs::read_to_string(runs.find(|file| file.is_file()).ok_or("no run")?)?;
    assert!(metrics.contains("macro-f1") && metrics.contains("balanced"), "{metrics}");
    let text =
        said(&["train", "lenet", "--dataset", path(&data), "--find-lr", "--out", path(&place.path().join("rates"))])?;
    assert!(!text.contains("judging") && !text.contains("held out"), "{text}");
    Ok(())
}

/// Images that the run did not set aside itself: those it was trained on are counted, whatever their folder is called.
#[test]
fn learnt_images_are_told_wherever_they_lie() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, copy, others] = ["data", "run", "copy", "others"].map(|name| place.path().join(name));
    for split in ["train", "val"] {
        shades(&data.join(split), &["a", "b"], if split == "train" { 12 } else { 30 })?;
    }
    // What `val` has beyond `train` was not learnt; the same pictures lie in both.
    shades(&copy, &["a", "b"], 20)?;
    let text = train(&data, &out, &[])?;
    assert!(text.contains("24 images to judge are among those to train on"), "{text}");
    for own in [&["eval", path(&out)][..], &["report", path(&out)]] {
        assert!(said(own)?.contains("24 images to judge are among those to train on"), "{own:?}");
    }
    let eval = |folder: &Path| said(&["eval", path(&out), "--dataset", path(folder)]);
    assert!(eval(&copy)?.contains("the run was trained on 24 of these 40 images"));
    let text = eval(&data.join("train"))?;
    assert!(text.contains("the run was trained on all of these images") && text.contains("24 images of"), "{text}");
    for class in ["a", "b"] {
        std::fs::create_dir_all(others.join(class))?;
        image::GrayImage::from_pixel(28, 28, image::Luma([3])).save(others.join(class).join("0.png"))?;
    }
    assert!(!eval(&others)?.contains("trained on all") && !eval(&others)?.contains("of these 2 images"));
    // A report of them counts and says the same; it draws no part of them.
    let text = said(&["report", path(&out), "--dataset", path(&data.join("train"))])?;
    assert!(text.contains("the run was trained on all of these images"), "{text}");
    assert!(std::fs::read_to_string(out.join("report-train/index.html"))?.contains("24 "));
    std::fs::rename(&data, place.path().join("gone"))?;
    assert!(eval(&copy)?.contains("whether the run was trained on some of these images cannot be told"));
    Ok(())
}

#[test]
fn weights_of_a_folder_are_not_judged_on_drawn_digits() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out] = ["ten", "run"].map(|name| place.path().join(name));
    shades(&data, &["0", "1"], 20)?;
    train(&data, &out, &[])?;
    // In a checkpoint it is the run's own.
    let checkpoints: Vec<_> = std::fs::read_dir(out.join("checkpoints"))?.flatten().map(|entry| entry.path()).collect();
    let kept = checkpoints.iter().map(|folder| folder.join("weights.safetensors")).find(|file| file.is_file());
    let kept = kept.ok_or("no weights in a checkpoint")?;
    let own = said(&["eval", path(&out)])?;
    let line = |text: &str| text.lines().find(|line| line.starts_with("loss ")).map(str::to_string);
    let of_checkpoint = said(&["eval", path(&kept)])?;
    let of = |line: Option<String>| line.and_then(|line| line.split_once(" on ").map(|(_, of)| of.to_string()));
    assert_eq!(of(line(&of_checkpoint)), of(line(&own)));
    assert!(of(line(&own)).is_some_and(|of| of.contains("ten")), "{own}");
    // Elsewhere nothing says where the images are.
    let copy = place.path().join("copy.safetensors");
    std::fs::copy(&kept, &copy)?;
    let message = error_of(&["eval", path(&copy)])?;
    assert!(message.contains("which is no data set by name: --dataset says what they are judged on"), "{message}");
    Ok(())
}
