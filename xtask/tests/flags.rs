//! Flags that say different things, that a command does not use, or whose values are no values.

use crate::common::{Failure, error_of, path, said, xtask};

/// What a command says where it fails, usage and all.
fn complaint(args: &[&str]) -> Result<String, Failure> {
    let output = xtask(args)?;
    assert!(!output.status.success(), "{args:?}");
    Ok(String::from_utf8(output.stderr)?)
}

#[test]
fn what_every_command_takes_is_refused_where_it_has_no_effect() -> Result<(), Failure> {
    for command in [&["list"][..], &["summary", "lenet"], &["predict", "a.png"], &["weights", "list"]] {
        let message = error_of(&[command, &["--seed", "5"]].concat())?;
        assert_eq!(message, "--seed 5 has no effect: this command draws nothing by it; leave it out");
    }
    for command in [&["race"][..], &["augment", "--augment", "flip", "--out", "a.png"], &["predict", "a.png"]] {
        let message = error_of(&[command, &["--device", "metal"]].concat())?;
        assert_eq!(message, "this command computes on the CPU, not on metal:0: leave --device out");
    }
    for command in [&["list"][..], &["data", "check", "photos"], &["recipes"]] {
        for device in ["metal", "cpu"] {
            let message = error_of(&[command, &["--device", device]].concat())?;
            assert_eq!(message, "--device has no effect: this command computes nothing; leave it out");
        }
    }
    Ok(())
}

#[test]
fn a_seed_by_which_nothing_is_drawn_is_refused() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (page, scales) = (folder.path().join("page.html"), folder.path().join("scales.json"));
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classifier/tests/seven.png");
    std::fs::create_dir(folder.path().join("7"))?;
    std::fs::copy(picture, folder.path().join("7/a.png"))?;
    std::fs::copy(picture, folder.path().join("7/b.png"))?;
    let of_folder = ["--dataset", path(folder.path())];
    for command in [
        &["explain", picture, "--out", path(&page)][..],
        &["explain", "--live", "--out", path(&page)],
        &["explain", "lenet", of_folder[0], of_folder[1], "--out", path(&page)],
        &["eval", "lenet", of_folder[0], of_folder[1]],
        &["calibrate", "lenet", of_folder[0], of_folder[1], "--scales", path(&scales)],
    ] {
        let message = error_of(&[command, &["--seed", "5"]].concat())?;
        assert_eq!(message, "--seed 5 has no effect: nothing is drawn here; leave it out");
    }
    assert!(!page.exists() && !scales.exists());
    said(&["eval", "lenet", of_folder[0], of_folder[1], "--limit", "1", "--seed", "5"])?;
    let message = error_of(&["report", path(folder.path()), "--seed", "77"])?;
    assert_eq!(message, "--seed 77 has no effect: this command draws nothing by it; leave it out");
    Ok(())
}

#[test]
fn numbers_are_asked_for_in_plain_words() -> Result<(), Failure> {
    for (args, expected) in [
        (["--epochs", "many"], "invalid value 'many' for '--epochs <N>': expected a whole number from 0 up"),
        (["--lr", "abc"], "invalid value 'abc' for '--lr <X>': expected a number, such as 0.1"),
        (
            ["--batch-size", "99999999999999999999"],
            "invalid value '99999999999999999999' for '--batch-size <N>': expected a smaller number",
        ),
    ] {
        let text = complaint(&["train", "lenet", args[0], args[1]])?;
        assert!(text.starts_with(&format!("error: {expected}")), "{text}");
    }
    for (setting, expected) in [
        ("epochs = true", "invalid type: boolean `true`, expected a whole number from 0 up"),
        ("optimizer = \"sgd\"", "expected a value as in `optimizer = { sgd = { momentum = 0.9 } }`"),
        ("learning-rate = \"x\"", "invalid type: string \"x\", expected a number"),
    ] {
        let message = error_of(&["train", "lenet", "--set", setting])?;
        assert!(message.starts_with(&format!("{setting}: {expected}")), "{message}");
    }
    Ok(())
}

#[test]
fn a_sweep_tries_what_its_names_say() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("sweep");
    let refused = |args: &[&str]| error_of(&[&["sweep", "lenet", "--limit", "20", "--out", path(&out)], args].concat());
    for args in [
        &["--lr", "0.1,0.2", "--over", "learning-rate = 0.3, 0.4"][..],
        &["--lr", "0.1,0.2", "--set", "learning-rate = 0.5"],
        &["--epochs", "3", "--over", "epochs = 1, 2"],
        &["--over", "epochs = 1, 2", "--over", "epochs = 3"],
    ] {
        let message = refused(args)?;
        assert!(message.contains("say different things") && message.ends_with("leave one of them out"), "{message}");
    }
    assert!(!out.exists());
    Ok(())
}

#[test]
fn a_schedule_goes_by_the_epochs_that_are_trained() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("run");
    let train = ["train", "lenet", "--limit", "40", "--batch-size", "20", "--out", path(&out), "--no-report"];
    let text = said(&[&train[..], &["--schedule", "multi-step", "--set", "epochs = 4"]].concat())?;
    assert!(text.contains("times 0.1 after 2 and 3 epochs"), "{text}");
    // Also without a report.
    let judgement: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(out.join("judgement.json"))?)?;
    assert!(judgement["test"]["images"].as_u64().is_some_and(|images| images > 0), "{judgement}");
    Ok(())
}

#[test]
fn what_changes_nothing_of_a_run_is_said() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("run");
    let train = ["train", "lenet", "--epochs", "1", "--limit", "40", "--no-report", "--out", path(&out)];
    let text = said(&[&train[..], &["--lr", "0", "--accumulate", "9"]].concat())?;
    assert!(text.contains("the learning rate is 0: nothing is learnt"), "{text}");
    assert!(text.contains("a step is of 9 batches, but an epoch has 1 batch"), "{text}");
    Ok(())
}

/// One process, as two, four and eight, trains on the eight parts of a batch.
#[test]
fn a_single_rank_has_the_shards_of_several() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let train = |name: &str, args: &[&str]| -> Result<(String, Vec<u8>), Failure> {
        let out = folder.path().join(name);
        let usual = ["train", "lenet", "--epochs", "1", "--limit", "64", "--no-report", "--out", path(&out)];
        let text = said(&[&usual[..], args].concat())?;
        Ok((text, std::fs::read(out.join("last.safetensors"))?))
    };
    let (text, one) = train("one", &["--processes", "1"])?;
    assert!(text.contains("1 rank, batches in 8 shards, chosen for them"), "{text}");
    assert_eq!(one, train("shards", &["--set", "shards = 8"])?.1);
    Ok(())
}

#[test]
fn a_loader_alone_takes_no_flags_of_computing() -> Result<(), Failure> {
    for flag in [&["--mode", "int8"][..], &["--engine", "plan"], &["--explain"], &["--callers", "2"], &["--recompute"]]
    {
        let text = complaint(&[&["bench", "lenet", "--load", "digits"], flag].concat())?;
        assert!(text.contains("cannot be used with") && text.contains(flag[0]), "{text}");
    }
    let message = error_of(&["bench", "lenet", "--load", "digits", "--shape", "1,28,30"])?;
    assert!(message.starts_with("--shape 1,28,30 beside --load: images are loaded as squares"), "{message}");
    Ok(())
}

#[test]
fn a_search_for_rates_leaves_nothing_behind_where_it_fails() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("file");
    std::fs::write(&file, "here")?;
    let message = error_of(&["train", "lenet", "--limit", "64", "--find-lr", "--out", path(&file)])?;
    assert!(message.starts_with(&format!("cannot make the folder {}", path(&file))), "{message}");
    Ok(())
}
