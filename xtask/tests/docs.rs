//! The generated documentation is as committed, and `docs --check` notices when it is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type Failure = Box<dyn std::error::Error>;

fn repository() -> Result<PathBuf, Failure> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no folder above")?.to_path_buf())
}

fn xtask(args: &[&str]) -> Result<Output, Failure> {
    Ok(Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).output()?)
}

fn check(root: &Path) -> Result<(bool, String), Failure> {
    let output = xtask(&["docs", "--check", "--root", &root.display().to_string()])?;
    Ok((output.status.success(), String::from_utf8(output.stderr)?))
}

/// What `docs` reads and writes.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        let target = to.join(file.file_name());
        if file.file_type()?.is_dir() {
            copy(&file.path(), &target)?;
        } else {
            fs::copy(file.path(), target)?;
        }
    }
    Ok(())
}

#[test]
fn what_is_committed_is_not_stale_and_a_change_is_named() -> Result<(), Failure> {
    let root = repository()?;
    assert_eq!(check(&root)?, (true, String::new()));

    let copied = tempfile::tempdir()?;
    let there = copied.path();
    copy(&root.join("docs"), &there.join("docs"))?;
    copy(&root.join("crates"), &there.join("crates"))?;
    fs::copy(root.join("README.md"), there.join("README.md"))?;
    let page = there.join("docs/networks/vgg.md");
    fs::write(&page, fs::read_to_string(&page)?.replace("138,357,544", "138,357,545"))?;
    fs::remove_file(there.join("docs/networks/resnet50.svg"))?;
    fs::write(there.join("docs/networks/of-nothing.svg"), "")?;
    let (fresh, message) = check(there)?;
    assert!(!fresh);
    let said = "error: stale, made again by `cargo xtask docs`: docs/networks/resnet50.svg, docs/networks/vgg.md, \
                docs/networks/of-nothing.svg\n";
    assert_eq!(message, said);
    Ok(())
}

#[test]
fn pictures_are_well_formed_and_files_small() -> Result<(), Failure> {
    let docs = repository()?.join("docs");
    let mut total = 0;
    let networks =
        fs::read_dir(docs.join("networks"))?.map(|file| Ok(file?.path())).collect::<Result<Vec<_>, Failure>>()?;
    for path in networks.iter().chain([&docs.join("accuracy-against-cost.svg"), &docs.join("performance.svg")]) {
        let text = fs::read_to_string(path)?;
        assert!(text.len() < 300_000, "{}", path.display());
        total += text.len();
        if path.extension().is_some_and(|extension| extension == "svg") {
            let document = roxmltree::Document::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            assert_eq!(document.root_element().tag_name().name(), "svg");
        }
    }
    assert!(total < 1_500_000, "{total} bytes");
    Ok(())
}

#[test]
fn what_is_compared_is_what_is_summed_up() -> Result<(), Failure> {
    let output = xtask(&["compare", "resnet50", "alexnet", "--shape", "3,8,8"])?;
    assert_eq!(output.status.code(), Some(1), "AlexNet takes no 8×8");
    assert!(String::from_utf8(output.stderr)?.contains("features."), "the error names the node");
    let output = xtask(&["compare", "googlenet", "resnet50", "--batch", "4", "--shape", "1,64,48", "--json"])?;
    let comparison: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(comparison["batch"], 4);
    for (number, name) in ["googlenet", "resnet50"].into_iter().enumerate() {
        let summary = cnn_zoo::find(name)?.architecture(1000).without_heads().at([1, 64, 48])?.summary();
        let network = &comparison["networks"][number];
        assert_eq!(network["name"], name);
        assert_eq!(network["parameters"], summary.parameters);
        assert_eq!(network["macs"], summary.macs);
        assert_eq!(network["layers"], summary.layers);
        assert_eq!(network["weights_memory"], summary.weights_memory);
        assert_eq!(network["training_memory"], 4 * summary.training_memory);
        assert_eq!(network["inference_memory"], 4 * summary.inference_memory);
    }
    Ok(())
}

#[test]
fn published_errors_are_those_of_the_reference_tables() -> Result<(), Failure> {
    let text = fs::read_to_string(repository()?.join("tests/reference/papers.json"))?;
    let papers: serde_json::Value = serde_json::from_str(&text)?;
    let entries = papers.as_array().into_iter().flatten().filter_map(|paper| paper["entries"].as_array()).flatten();
    let mut compared = 0;
    for entry in entries {
        let (Some(name), Some(error)) = (entry["network"].as_str(), entry["test_error"].as_f64()) else { continue };
        let result = cnn_zoo::published().find(|result| result.network == name).ok_or("not published")?;
        assert!((100.0 - result.top1 - error).abs() < 1e-9, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 6);
    Ok(())
}
