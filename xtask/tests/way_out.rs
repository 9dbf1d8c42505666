//! What is wrong is said with what can be done about it.

use crate::common::{Failure, error_of, path, xtask};

const SEVEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classifier/tests/seven.png");

#[test]
fn a_name_that_is_not_there_comes_with_where_all_are() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (page, features) = (file("page.html"), file("features.npy"));
    let (networks, weights) = ("(cargo xtask list names all)", "(cargo xtask weights list names all)");
    let nodes = "lenet has no node nosuch (cargo xtask summary lenet names all)";
    let random = "say which network before the pictures: --random has no weights that name one";
    for (args, end) in [
        (&["summary", "nosuch"][..], networks),
        (&["compare", "lenet", "nosuch"], networks),
        (&["train", "nosuch"], networks),
        (&["eval", "nosuch"], weights),
        (&["train", "lenet", "--init", "nosuch"], weights),
        (&["weights", "show", "nosuch"], weights),
        (&["features", "lenet", SEVEN, "--node", "nosuch", "--out", &features], nodes),
        (&["explain", "lenet", "--dataset", "digits", "--limit", "9", "--node", "nosuch", "--out", &page], nodes),
        (&["explain", SEVEN, "--random", "lenet", "--out", &page], random),
        (&["report", "nosuch"], "nosuch: there is no such folder"),
    ] {
        let message = error_of(args)?;
        assert!(message.ends_with(end), "{args:?}: {message}");
    }
    let message = error_of(&["predict", SEVEN, "--class-names", "nosuch"])?;
    let known = "imagenet, digits, mnist, fashion-mnist, cifar10, cifar100";
    assert_eq!(message, format!("nosuch is no file, and the classes known by name are {known}"));
    let class = folder.path().join("class");
    std::fs::create_dir(&class)?;
    std::fs::copy(SEVEN, class.join("seven.png"))?;
    let message = error_of(&["train", "lenet", "--dataset", path(&class)])?;
    assert!(
        message.ends_with("a class is named by the folder above it, the classic files of a data set by --data-dir")
    );
    Ok(())
}

#[test]
fn all_that_would_do_is_named_where_something_is_missing() -> Result<(), Failure> {
    for (args, expected) in [
        (&["train"][..], "  <NET>, --recipe <NAME|FILE> or --resume <RUN>\n"),
        (&["augment", "--out", "a.png"], "  <--augment <STEPS>|--recipe <NAME|FILE>>\n"),
        (&["train", "lenet", "--patience", "0"], "expected 1 or more; a run without it is not stopped early\n"),
    ] {
        let said = String::from_utf8(xtask(args)?.stderr)?;
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    Ok(())
}

/// Otherwise a file is called what it is not.
#[test]
fn a_file_is_written_under_an_ending_that_is_its_own() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("x.txt");
    let (text, png) = (path(&out), folder.path().join("x.png"));
    for (args, endings) in [
        (&["augment", "--augment", "flip", "--out", text][..], ".png"),
        (&["convert", SEVEN, "--out", text], ".safetensors"),
        (&["export", "lenet", "--onnx", text], ".onnx"),
        (&["explain", SEVEN, "--out", text], ".html"),
        (&["explain", "lenet", "--live", "--out", path(&png)], ".html"),
        (&["forward", "lenet", "--weights", SEVEN, "--input", SEVEN, "--output", text], ".safetensors"),
        (&["calibrate", "lenet", "--dataset", "digits", "--limit", "20", "--scales", text], ".json"),
        (&["features", SEVEN, "--out", text], ".safetensors or .npy"),
    ] {
        let message = error_of(args)?;
        assert!(message.ends_with(&format!(": a file that ends in {endings} can be written")), "{args:?}: {message}");
    }
    let plain = folder.path().join("plain");
    assert!(xtask(&["export", "lenet", "--onnx", path(&plain)])?.status.success() && plain.exists());
    assert!(!out.exists() && !png.exists());
    Ok(())
}
