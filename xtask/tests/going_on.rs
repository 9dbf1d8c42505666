//! What a run that goes on takes, refuses and says.

use crate::common::{Failure, error_of, path, said, shades};

#[test]
fn what_acts_at_the_beginning_or_judges_otherwise_is_refused() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("run");
    said(&["train", "lenet", "--limit", "40", "--epochs", "1", "--no-report", "--out", path(&out)])?;
    let before = std::fs::read(out.join("recipe.toml"))?;
    let refused = |more: &[&str]| error_of(&[&["train", "--resume", path(&out), "--epochs", "2"], more].concat());
    let message = refused(&["--set", "whitening = { images = 20 }"])?;
    assert!(
        message.starts_with("whitening none → { ") && message.contains(" has no effect: the run has begun"),
        "{message}"
    );
    let message = refused(&["--test-time", "flip"])?;
    assert!(message.starts_with("test-time none → flip: "), "{message}");
    assert!(message.ends_with("leave it out, and judge the run so by cargo xtask eval --test-time"), "{message}");
    assert!(std::fs::read(out.join("recipe.toml"))? == before);
    Ok(())
}

#[test]
fn a_torn_line_of_figures_does_not_stop_a_run() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("run");
    said(&["train", "lenet", "--limit", "40", "--epochs", "2", "--no-report", "--out", path(&out)])?;
    let metrics = out.join("metrics.jsonl");
    let whole = std::fs::read(&metrics)?;
    std::fs::write(&metrics, &whole[..whole.len() - 30])?;
    said(&["train", "--resume", path(&out), "--epochs", "3", "--no-report"])?;
    let now = std::fs::read_to_string(&metrics)?;
    assert_eq!(now.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count(), 3, "{now}");
    Ok(())
}

#[test]
fn a_damaged_file_of_a_run_is_to_be_put_back() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out] = ["data", "run"].map(|name| place.path().join(name));
    shades(&data, &["dark", "light"], 12)?;
    said(&["train", "lenet", "--epochs", "1", "--dataset", path(&data), "--out", path(&out)])?;
    for class in ["dark", "light"] {
        for number in 0..12 {
            std::fs::write(data.join(class).join(format!("{number}.png")), "no picture")?;
        }
    }
    for args in [&["report", path(&out)][..], &["train", "--resume", path(&out), "--epochs", "2"]] {
        let message = error_of(args)?;
        assert!(message.contains("; put the file back as it was") && !message.contains("--skip-damaged"), "{message}");
    }
    std::fs::remove_dir_all(out.join("report"))?;
    let text = said(&["report", path(&out)])?;
    assert!(text.contains("; put the file back as it was") && !text.contains("--skip-damaged"), "{text}");
    let message = error_of(&["eval", path(&out)])?;
    assert!(message.contains("--skip-damaged leaves such files out"), "{message}");
    Ok(())
}

#[test]
fn runs_of_a_sweep_that_went_on_are_marked() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("sweep");
    let sweep = |seeds: &str, epochs: &str| {
        said(&["sweep", "lenet", "--limit", "40", "--seeds", seeds, "--epochs", epochs, "--out", path(&out)])
    };
    assert!(!sweep("1,2", "1")?.contains("went on"));
    let text = sweep("1,2,3", "2")?;
    assert!(text.contains("all: 2 of 3 runs went on from fewer epochs, by another schedule than the others"), "{text}");
    assert_eq!(text.matches("went on, and was changed on the way: ").count(), 2, "{text}");
    let table = std::fs::read_to_string(out.join("sweep.csv"))?;
    let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().ok_or("no header")?;
    let column = header.iter().position(|name| *name == "continued").ok_or("no column")?;
    assert_eq!(rows.map(|row| row[column]).collect::<Vec<_>>(), ["true", "true", "false"], "{table}");
    // It is said again by whoever looks again.
    assert!(sweep("1,2,3", "2")?.contains("2 of 3 runs went on"));
    Ok(())
}

#[test]
fn a_folder_in_between_is_explained() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("run");
    std::fs::create_dir_all(out.join(".replaced"))?;
    for command in [["eval", path(&out)], ["predict", "--weights"]] {
        let more = if command[0] == "predict" { vec![path(&out), "a.png"] } else { Vec::new() };
        let message = error_of(&[command.to_vec(), more].concat())?;
        assert!(message.contains("the finished one that it was to replace in .replaced"), "{message}");
    }
    Ok(())
}

#[test]
fn a_new_run_of_a_changed_recipe_is_not_said_to_be_changed() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [old, new, sweep] = ["old", "new", "sweep"].map(|name| place.path().join(name));
    said(&["train", "lenet", "--limit", "40", "--epochs", "1", "--no-report", "--out", path(&old)])?;
    said(&["train", "--resume", path(&old), "--epochs", "2", "--no-report"])?;
    let recipe = old.join("recipe.toml");
    assert!(std::fs::read_to_string(&recipe)?.contains("changed on the way (epochs 1 → 2)"));
    let text = said(&["train", "--recipe", path(&recipe), "--epochs", "1", "--no-report", "--out", path(&new)])?;
    assert!(!text.contains("changed on the way"), "{text}");
    assert!(!std::fs::read_to_string(new.join("recipe.toml"))?.contains("changed on the way"));
    let swept = || said(&["sweep", path(&recipe), "--seeds", "1", "--epochs", "1", "--out", path(&sweep)]);
    assert!(!swept()?.contains("changed on the way") && !swept()?.contains("changed on the way"));
    Ok(())
}

#[test]
fn best_weights_that_cannot_be_judged_are_found_before_the_next_step() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [out, other] = ["run", "other"].map(|name| place.path().join(name));
    for (network, out) in [("lenet", &out), ("lenet_d2l", &other)] {
        said(&["train", network, "--limit", "40", "--epochs", "1", "--no-report", "--out", path(out)])?;
    }
    let best = out.join("best.safetensors");
    let whole = std::fs::read(&best)?;
    let mut torn = whole.clone();
    torn.truncate(100);
    for bytes in [torn, std::fs::read(other.join("best.safetensors"))?] {
        // The checkpoint has the same file by another name.
        std::fs::remove_file(&best)?;
        std::fs::write(&best, bytes)?;
        let message = error_of(&["train", "--resume", path(&out), "--epochs", "2"])?;
        assert!(message.contains("best.safetensors") && message.contains("without it the run cannot be"), "{message}");
        assert!(message.ends_with(&format!("begin another with --init {}", path(&out.join("last.safetensors")))));
        assert_eq!(std::fs::read_to_string(out.join("metrics.jsonl"))?.lines().count(), 1);
    }
    std::fs::write(&best, whole)?;
    said(&["train", "--resume", path(&out), "--epochs", "2", "--no-report"]).map(drop)
}

#[test]
fn a_run_that_goes_on_keeps_its_recipe_s_name_and_needs_its_files() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [out, mine] = ["run", "mine.toml"].map(|name| place.path().join(name));
    std::fs::write(&mine, "network = \"lenet\"\n[training]\nschedule = \"constant\"\nwarm-up = { epochs = 1.0 }\n")?;
    let train = ["--limit", "40", "--epochs", "1", "--no-report", "--out", path(&out)];
    said(&[&["train", "--recipe", path(&mine)][..], &train].concat())?;
    let refused = |more: &[&str]| error_of(&[&["train", "--resume", path(&out), "--epochs", "2"], more].concat());
    let message = refused(&["--warm-up", "0.5"])?;
    assert!(
        message.contains("when its time is over: warm-up.epochs 1.0 → 0.5 has no effect; leave it out"),
        "{message}"
    );
    let message = refused(&["--set", "wire = \"bf16\""])?;
    assert!(message.starts_with("wire: a batch is whole, and no gradients are added"), "{message}");
    let message = refused(&["--set", ""])?;
    assert!(message.contains("sets nothing: expected a line such as `epochs = 3`"), "{message}");
    let [config, recipe] = ["config.json", "recipe.toml"].map(|name| out.join(name));
    let text = std::fs::read_to_string(&config)?;
    std::fs::remove_file(&config)?;
    let message = refused(&[])?;
    assert!(message.contains("config.json is gone") && message.contains("put it back, or begin another"), "{message}");
    std::fs::write(&config, "")?;
    let message = refused(&[])?;
    assert!(message.contains("config.json") && message.contains("put the file back as it was"), "{message}");
    std::fs::write(&config, text)?;
    let text = std::fs::read(&recipe)?;
    std::fs::write(&recipe, "")?;
    assert_eq!(refused(&[])?, "the run's recipe.toml names no network: put the file back as it was");
    std::fs::write(&recipe, text)?;
    said(&["train", "--resume", path(&out), "--epochs", "2", "--no-report"])?;
    let config: serde_json::Value = serde_json::from_slice(&std::fs::read(&config)?)?;
    assert_eq!(config["recipe"], path(&mine));
    Ok(())
}

#[test]
fn what_a_run_keeps_goes_on_with_it() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("run");
    let train = ["train", "lenet", "--limit", "40", "--batch-size", "10", "--epochs", "1", "--no-report", "--out"];
    said(&[&train[..], &[path(&out), "--keep", "3", "--checkpoint-steps", "2", "--tensorboard"]].concat())?;
    std::fs::remove_dir_all(out.join("tensorboard"))?;
    let go_on = |epochs: &str, more: &[&str]| -> Result<(String, usize), Failure> {
        let text = said(&[&["train", "--resume", path(&out), "--epochs", epochs, "--no-report"], more].concat())?;
        Ok((text, std::fs::read_dir(out.join("checkpoints"))?.count()))
    };
    let (text, kept) = go_on("2", &[])?;
    assert!(text.contains("/run: 3 checkpoints kept, one every 2 steps, event files for TensorBoard\n"), "{text}");
    assert!(kept == 3 && out.join("checkpoints/step-00000006").is_dir() && out.join("tensorboard").is_dir());
    let (text, kept) = go_on("3", &["--keep", "1"])?;
    assert!(text.contains("/run: 1 checkpoint kept, one every 2 steps") && kept == 1, "{text}");
    let (text, _) = go_on("4", &["--no-tensorboard"])?;
    assert!(text.contains("/run: 1 checkpoint kept, one every 2 steps\n"), "{text}");
    assert!(go_on("5", &[])?.0.contains("/run: 1 checkpoint kept, one every 2 steps\n"));
    // One that a kill left beside the newest does not stay.
    let usual = place.path().join("usual");
    said(&[&train[..], &[path(&usual)]].concat())?;
    std::fs::create_dir(usual.join("checkpoints/step-00000001"))?;
    said(&["train", "--resume", path(&usual), "--epochs", "2", "--no-report"])?;
    assert_eq!(std::fs::read_dir(usual.join("checkpoints"))?.count(), 1);
    Ok(())
}

#[test]
fn what_a_run_leaves_behind_is_not_taken_for_what_it_is_not() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("run");
    let seven = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classifier/tests/seven.png");
    said(&["train", "lenet", "--limit", "40", "--epochs", "1", "--test-time", "flip", "--out", path(&out)])?;
    // A report of weights that the run no longer has.
    let text = said(&["train", "--resume", path(&out), "--epochs", "2", "--no-report"])?;
    assert!(text.contains("the report that is there is of before: cargo xtask report "), "{text}");
    said(&["report", path(&out)])?;
    // A file of weights in the place of a picture.
    let best = out.join("best.safetensors");
    let text = said(&["predict", path(&best), seven])?;
    assert!(text.contains("best.safetensors: 10 classes") && text.contains("judged by more views"), "{text}");
    Ok(())
}
