//! Settings that would change nothing, and results that would get in the way, wherever they are said.

use crate::common::{Failure, error_of, path, shades, xtask};
use std::path::Path;

#[test]
fn a_recipe_is_held_to_what_flags_are() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, recipe] = ["data", "mine.toml"].map(|name| place.path().join(name));
    for split in ["train", "val"] {
        shades(&data.join(split), &["dark", "light"], 12)?;
    }
    let refused = |text: &str, more: &[&str]| -> Result<String, Failure> {
        std::fs::write(&recipe, text)?;
        error_of(&[&["train", "lenet", "--recipe", path(&recipe), "--out", "/dev/null/run"], more].concat())
    };
    let dataset = ["--dataset", path(&data)];
    let message = refused("[data]\ntest-share = 0.3\n", &dataset)?;
    assert!(
        message.starts_with("test-share in the recipe's [data] has no effect: ") && message.contains("/val"),
        "{message}"
    );
    let message = refused("[data]\ntest-share = 0.3\nfold = '1/3'\n", &dataset)?;
    assert!(message.contains("has no effect beside the fold 1/3, which says what is judged"), "{message}");
    let message = refused("[data]\nno-exif = true\n", &[])?;
    assert!(message.starts_with("no-exif in the recipe's [data] is about a folder of images, and digits"), "{message}");
    let message = refused("[training]\nsync-batch-norm = true\n", &[])?;
    assert_eq!(message, "sync-batch-norm: lenet has no batch normalisation");
    let groups = "groups = [{ prefix = \"conv1\", learning-rate = 0.1 }]";
    let message = refused(&format!("[training]\nfreeze = [\"conv1\"]\n{groups}\n"), &[])?;
    assert_eq!(message, "groups conv1: all tensors of it are frozen, so its factors change nothing");
    Ok(())
}

#[test]
fn what_learns_nothing_is_said() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("run");
    let groups = |factors: &str| format!("groups = [{{ prefix = \"*\", {factors} }}]");
    let train = |groups: &str, out: &str| {
        xtask(&["train", "lenet", "--limit", "20", "--epochs", "1", "--no-report", "--set", groups, "--out", out])
    };
    let text = String::from_utf8(train(&groups("learning-rate = 0.0"), path(&out))?.stderr)?;
    assert!(text.contains("groups: all that is trained has 0 times the learning rate: nothing is learnt"), "{text}");
    let text = String::from_utf8(train(&groups("weight-decay = 3.0"), path(&place.path().join("other")))?.stderr)?;
    assert!(text.contains("groups *: the weight decay is 0, and stays so 3 times"), "{text}");
    let text = String::from_utf8(train("decay = \"weights\"", path(&place.path().join("pulls")))?.stderr)?;
    assert!(text.contains("decay: the weight decay is 0, and pulls at nothing: --weight-decay sets it"), "{text}");
    let judged = xtask(&["eval", path(&out), "--limit", "1000000"])?;
    let text = String::from_utf8([judged.stdout, judged.stderr].concat())?;
    assert!(text.contains("a limit of 1,000,000 leaves out none of the images"), "{text}");
    let run = path(&place.path().join("warm")).to_string();
    let warm = ["train", "lenet", "--limit", "20", "--epochs", "1", "--warm-up", "1", "--no-report", "--out", &run];
    let text = String::from_utf8(xtask(&warm)?.stderr)?;
    assert!(text.contains("the warm-up of 1 epochs does not end before the last step of 1"), "{text}");
    assert!(text.contains("at a learning rate of 0.02 every step's is 0 in 32 bits: nothing is learnt"), "{text}");
    let rates = place.path().join("rates");
    let none = groups("learning-rate = 0.0");
    let message = error_of(&["train", "lenet", "--limit", "20", "--find-lr", "--set", &none, "--out", path(&rates)])?;
    assert!(message.contains("all that is trained has 0 times the learning rate: none changes anything"), "{message}");
    Ok(())
}

#[test]
fn what_begins_anew_is_not_frozen() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, run] = ["data", "run"].map(|name| place.path().join(name));
    shades(&data, &["dark", "light"], 12)?;
    assert!(
        xtask(&["train", "lenet", "--limit", "20", "--epochs", "1", "--no-report", "--out", path(&run)])?
            .status
            .success()
    );
    let train = ["train", "lenet", "--dataset", path(&data), "--init", path(&run), "--out", "/dev/null/run"];
    let message = error_of(&[&train[..], &["--freeze", "conv1,fc3"]].concat())?;
    assert_eq!(message, "freeze fc3: fc3.weight begins anew and would never learn: leave it out of what is frozen");
    let groups = "groups = [{ prefix = \"fc3\", learning-rate = 0.0 }]";
    let message = error_of(&[&train[..], &["--set", groups]].concat())?;
    assert_eq!(
        message,
        "groups fc3.weight: fc3.weight begins anew and would never learn: give it a learning rate above 0"
    );
    Ok(())
}

#[test]
fn runs_of_the_same_settings_are_found_before_the_first() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let out = place.path().join("sweep");
    let refused = |over: &str| error_of(&["sweep", "lenet", "--limit", "20", "--over", over, "--out", path(&out)]);
    let message = refused("learning-rate = 0.1, 0.10")?;
    assert_eq!(
        message,
        "learning-rate=0.1 and learning-rate=0.10 are runs of the same settings: leave out one of the two"
    );
    let long = format!("freeze = [\"conv1\"], [\"conv1\", \"{}\"]", ["conv2.weight"; 25].join("\", \""));
    let message = refused(&long)?;
    assert!(message.contains("a name has at most 255 bytes; try fewer settings at a time"), "{message}");
    assert!(!out.exists());
    Ok(())
}

#[test]
fn results_do_not_get_in_the_way() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, run, rates] = ["data", "run", "rates"].map(|name| place.path().join(name));
    shades(&data, &["dark", "light"], 12)?;
    let sheet = data.join("dark/sheet.png");
    let augment = ["augment", "--dataset", path(&data), "--augment", "flip", "--out", path(&sheet)];
    let message = error_of(&augment)?;
    assert!(message.contains("would be taken for a class or for a picture of one") && !sheet.exists(), "{message}");
    let output = xtask(&["augment", "--dataset", path(&data), "--out", path(&place.path().join("a.png"))])?;
    let text = String::from_utf8(output.stderr)?;
    assert!(text.contains("--augment <STEPS>") && text.contains("--recipe <NAME|FILE>"), "{text}");
    // A search for rates writes to no run, no file, and over no other picture.
    let train = ["train", "lenet", "--limit", "20", "--out"];
    let trained = xtask(&[&train[..], &[path(&run), "--epochs", "1", "--no-report"]].concat())?;
    assert!(trained.status.success());
    let search = |out: &Path| -> Result<Vec<String>, Failure> {
        let output = xtask(&[&train[..], &[path(out), "--find-lr"]].concat())?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut names: Vec<String> =
            std::fs::read_dir(out)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        Ok(names)
    };
    let message = error_of(&[&train[..], &[path(&run), "--find-lr"]].concat())?;
    assert!(message.ends_with("is a run's own folder: choose another --out"), "{message}");
    for no in [
        ["--average", "0.9"],
        ["--lr", "0.1"],
        ["--schedule", "cosine"],
        ["--warm-up", "1"],
        ["--epochs", "3"],
        ["--test-time", "flip"],
    ] {
        let refused = xtask(&[&train[..], &[path(&rates), "--find-lr"], &no].concat())?;
        let message = String::from_utf8(refused.stderr)?;
        assert!(message.contains("--find-lr") && message.contains("cannot be used with"), "{message}");
    }
    let file = run.join("recipe.toml");
    let recipe = place.path().join("slow.toml");
    let settings = "average = 0.5\npatience = 3\ntest-time = \"flip\"\nlabel-smoothing = 0.1\n";
    std::fs::write(&recipe, format!("[training]\n{settings}"))?;
    let other = place.path().join("other");
    let search_of = ["--find-lr", "--recipe", path(&recipe)];
    let text = String::from_utf8(xtask(&[&train[..], &[path(&other)], &search_of].concat())?.stdout)?;
    let besides = text.lines().find(|line| line.starts_with("besides")).unwrap_or_default();
    assert_eq!(besides, "besides    label smoothing 0.1", "{text}");
    let message = error_of(&[&train[..], &[path(&file), "--find-lr"]].concat())?;
    assert!(message.contains("cannot make the folder"), "{message}");
    assert_eq!(search(&rates)?, ["lenet-digits-learning-rates.svg"]);
    assert_eq!(search(&rates)?, ["lenet-digits-learning-rates-2.svg", "lenet-digits-learning-rates.svg"]);
    Ok(())
}
