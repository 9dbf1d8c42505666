//! Judging by both sides of an image: a run, and `eval` and `report` of it.

use crate::common::{Failure, path, xtask};

#[test]
fn a_run_that_was_judged_by_both_sides_is_judged_so_again() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let run = folder.path().join("run");
    let out = path(&run);
    let small = "--limit 600 --epochs 1 --batch-size 16 --optimizer adamw --lr 0.003 --seed 2";
    let small: Vec<&str> = small.split(' ').collect();
    let output = xtask(&[&["train", "lenet", "--test-time", "flip", "--out", out][..], &small].concat())?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let recipe = std::fs::read_to_string(run.join("recipe.toml"))?;
    assert!(recipe.contains("test-time = \"flip\""), "{recipe}");
    let metrics: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(run.join("metrics.jsonl"))?)?;
    let judged = |more: &[&str]| -> Result<(f64, String), Failure> {
        let output = xtask(&[&["eval", "--weights", out, "--json"][..], more].concat())?;
        let figures: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        Ok((figures["accuracy"].as_f64().ok_or("no accuracy")?, String::from_utf8(output.stderr)?))
    };
    let (accuracy, said) = judged(&[])?;
    assert_eq!(Some(accuracy), metrics["test_accuracy"].as_f64());
    assert!(said.contains("judged by the mean score of each image and its mirror image (as the run)"), "{said}");
    // Digits do not look like their mirror images: it is another judgement.
    let (plain, said) = judged(&["--test-time", "plain"])?;
    assert!(plain != accuracy && !said.contains("mirror"), "{plain} {accuracy} {said}");
    Ok(())
}
