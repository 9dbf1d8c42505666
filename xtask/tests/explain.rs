//! Pages about networks and pictures, and networks as pictures.

use crate::common::{Failure, error_of, path, xtask};
use cnn_data::{DigitsConfig, digits};
use std::path::{Path, PathBuf};

fn drawn(folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let data = digits(DigitsConfig { train: 1, test: 1, seed: 41 })?;
    let path = folder.join(name);
    std::fs::write(&path, data.test().picture(0)?.png()?)?;
    Ok(path)
}

#[test]
fn a_page_is_written_for_a_digit() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    // `<` and `>` stand in names of files.
    let digit = drawn(folder.path(), "<b>digit&.png")?;
    let page = folder.path().join("page.html");
    let output = xtask(&["explain", path(&digit), "--out", path(&page)])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let html = std::fs::read_to_string(&page)?;
    assert!(html.contains("&lt;b&gt;digit&amp;.png") && !html.contains("<b>"));
    assert!(html.contains("Grad-CAM at <code>") && html.len() < 2_000_000, "{}", html.len());
    Ok(())
}

#[test]
fn a_data_set_is_shown_without_a_picture() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let page = folder.path().join("page.html");
    let output = xtask(&["explain", "lenet", "--dataset", "digits", "--limit", "50", "--out", path(&page)])?;
    let said = String::from_utf8(output.stderr)?;
    assert!(output.status.success() && said.contains("looked at 50 of "), "{said}");
    let html = std::fs::read_to_string(&page)?;
    assert!(html.contains("id=\"points\"") && html.contains("What excites") && html.len() < 2_000_000);
    Ok(())
}

#[test]
fn an_untrained_network_says_so_and_its_seed_decides() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let digit = drawn(folder.path(), "digit.png")?;
    let page = folder.path().join("page.html");
    let mut classes = Vec::new();
    for seed in ["3", "4", "3"] {
        let output = xtask(&["explain", "mnist_conv", "--random", path(&digit), "--out", path(&page), "--seed", seed])?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let html = std::fs::read_to_string(&page)?;
        assert!(html.contains("drawn from the seed") && html.contains("its answers mean nothing"));
        let (_, table) = html.split_once("<table class=\"classes\">").ok_or("no table")?;
        classes.push(table.split_once("</table>").ok_or("no end")?.0.to_string());
    }
    assert_eq!(classes[0], classes[2]);
    assert_ne!(classes[0], classes[1]);
    Ok(())
}

#[test]
fn what_cannot_be_explained_is_one_sentence_and_nothing_is_written() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let digit = drawn(folder.path(), "digit.png")?;
    let broken = folder.path().join("broken.png");
    std::fs::write(&broken, "no picture")?;
    let page = folder.path().join("page.html");
    let out = ["--out", path(&page)];
    for (args, expected) in [
        (vec!["lenet"], "say which pictures"),
        (vec!["lenet", "--dataset", "digits", "--limit", "2001"], "from 2 to 2000"),
        (vec!["lenet", "--dataset", "digits", "--node", "conv9"], "conv9"),
        (vec!["lenet", path(&digit), "--limit", "20"], "--limit is about a data set, and none is named"),
        (vec!["lenet", path(&digit), "--data-dir", "files"], "--data-dir is about a data set"),
        (vec!["lenet", path(&digit), "--fold", "1/5"], "--fold is about a data set"),
        (vec!["lenet", path(&digit), "--channels", "1"], "--channels is about a data set"),
        (vec!["lenet", path(&digit), "--test-share", "0.5"], "--test-share is about a data set"),
        (vec!["lenet", path(&digit), "--skip-damaged"], "--skip-damaged is about a data set"),
        (vec!["lenet", path(&digit), "--max-pixels", "100"], "at most 100 pixels, found 28×28"),
        (
            vec!["lenet", path(&digit), "--dataset", "digits", "--limit", "20", "--max-pixels", "100"],
            "at most 100 pixels",
        ),
        (vec!["lenet", "--dataset", "digits", "--max-pixels", "100"], "--max-pixels is about a folder of images"),
        (vec!["lenet", "--dataset", "digits", "--invert"], "--invert is about pictures that are named"),
        (vec!["lenet", path(&broken)], "broken.png"),
        (vec!["--random", path(&digit)], "say which network"),
        (vec!["resnet18", path(&digit), "--weights", path(&digit)], "digit.png"),
    ] {
        let error = error_of(&[&["explain"], &args[..], &out[..]].concat())?;
        assert!(error.contains(expected), "{args:?}: {error}");
        assert!(!page.exists(), "{args:?}");
    }
    Ok(())
}

#[test]
fn a_network_is_drawn() -> Result<(), Failure> {
    let output = xtask(&["diagram", "lenet", "--classes", "26"])?;
    assert!(output.status.success());
    let svg = String::from_utf8(output.stdout)?;
    roxmltree::Document::parse(&svg)?;
    assert!(svg.contains("linear 26"));
    assert!(error_of(&["diagram", "lenett"])?.contains("lenet"));
    Ok(())
}
