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
