//! Which crate may depend on which: the arrows of `docs/architecture.md`, and what a model crate must not bring along.

use super::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// For each package the packages of the workspace it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("cnn-figures", &[]),
    ("cnn-distributed", &["cnn-testing"]),
    ("cnn-system", &[]),
    ("cnn-network", &["cnn-figures"]),
    ("cnn-weights", &["cnn-network", "cnn-system"]),
    ("cnn-core", &["cnn-kernels", "cnn-network", "cnn-plan", "cnn-system", "cnn-weights"]),
    ("cnn-inception", &["cnn-core"]),
    ("cnn-residual", &["cnn-core"]),
    ("cnn-dense", &["cnn-core"]),
    ("cnn-nin", &["cnn-core"]),
    ("cnn-lenet", &["cnn-core"]),
    ("cnn-alexnet", &["cnn-core"]),
    ("cnn-vgg", &["cnn-core"]),
    ("cnn-googlenet", &["cnn-core", "cnn-inception"]),
    ("cnn-resnet", &["cnn-core", "cnn-residual"]),
    ("cnn-densenet", &["cnn-core", "cnn-dense"]),
    ("cnn-data", &["cnn-figures", "cnn-network", "cnn-system", "cnn-testing", "cnn-weights"]),
    ("cnn-catalogue", &["cnn-core", "cnn-data", "cnn-testing", "cnn-weights", "cnn-zoo"]),
    ("cnn-testing", &[]),
    ("cnn-kernels", &[]),
    // The zoo for its tests.
    ("cnn-onnx", &["cnn-figures", "cnn-network", "cnn-system", "cnn-weights", "cnn-zoo"]),
    // The zoo and the rule of weights for its tests.
    ("cnn-explain", &["cnn-figures", "cnn-network", "cnn-plan", "cnn-verify", "cnn-weights", "cnn-zoo"]),
    ("cnn-plan", &["cnn-kernels", "cnn-network", "cnn-system", "cnn-weights"]),
    ("cnn-dashboard", &["cnn-core", "cnn-data", "cnn-figures", "cnn-train"]),
    ("cnn-report", &["cnn-core", "cnn-data", "cnn-figures", "cnn-train"]),
    // LeNet for its examples.
    (
        "cnn-train",
        &[
            "cnn-core",
            "cnn-data",
            "cnn-distributed",
            "cnn-figures",
            "cnn-kernels",
            "cnn-lenet",
            "cnn-plan",
            "cnn-weights",
        ],
    ),
    (
        "cnn-zoo",
        &["cnn-core", "cnn-lenet", "cnn-alexnet", "cnn-nin", "cnn-vgg", "cnn-googlenet", "cnn-resnet", "cnn-densenet"],
    ),
    ("cnn-classifier", &["cnn-catalogue", "cnn-core", "cnn-data", "cnn-figures", "cnn-zoo"]),
    ("cnn-serve", &["cnn-classifier", "cnn-explain", "cnn-figures", "cnn-kernels", "cnn-system", "cnn-testing"]),
    // The classifier and the kernels for its tests.
    (
        "cnn-browser",
        &["cnn-classifier", "cnn-explain", "cnn-kernels", "cnn-plan", "cnn-testing", "cnn-weights", "cnn-zoo"],
    ),
    ("cnn-verify", &["cnn-core", "cnn-plan", "cnn-zoo"]),
    (
        "xtask",
        &[
            "cnn-catalogue",
            "cnn-classifier",
            "cnn-core",
            "cnn-dashboard",
            "cnn-data",
            "cnn-distributed",
            "cnn-explain",
            "cnn-figures",
            "cnn-kernels",
            "cnn-onnx",
            "cnn-plan",
            "cnn-report",
            "cnn-serve",
            "cnn-system",
            "cnn-train",
            "cnn-verify",
            "cnn-zoo",
        ],
    ),
    (
        "cnn-tests",
        &[
            "cnn-classifier",
            "cnn-core",
            "cnn-data",
            "cnn-lenet",
            "cnn-plan",
            "cnn-resnet",
            "cnn-train",
            "cnn-verify",
            "cnn-zoo",
        ],
    ),
];

/// A crate that no box of the picture names would be missed by whoever looks there.
#[test]
fn every_room_is_in_the_picture() -> Result<(), Failure> {
    let picture = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rooms.svg"))?;
    let texts = picture.split("<text").skip(1).filter_map(|text| text.split_once('>')?.1.split_once("</text>"));
    let named: BTreeSet<&str> = texts.flat_map(|(text, _)| text.split(" · ")).collect();
    for (package, _) in ARROWS {
        let room = package.strip_prefix("cnn-").unwrap_or(package);
        assert!(named.contains(room) || named.contains(package), "docs/rooms.svg has no box for {package}");
    }
    Ok(())
}

#[test]
fn dependencies_follow_the_arrows() -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path", manifest])
        .output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("no packages")?;
    assert_eq!(packages.len(), ARROWS.len(), "a package has no line in ARROWS");
    for package in packages {
        let name = package["name"].as_str().ok_or("no name")?;
        let (_, allowed) = ARROWS.iter().find(|(known, _)| *known == name).ok_or(format!("{name} is new"))?;
        for dependency in package["dependencies"].as_array().ok_or("no dependencies")? {
            let on = dependency["name"].as_str().ok_or("no name")?;
            let ours = ARROWS.iter().any(|(known, _)| *known == on);
            assert!(!ours || allowed.contains(&on), "{name} must not depend on {on}");
        }
    }
    Ok(())
}

/// Packages and their features, as one of cargo's commands builds them.
fn built(args: &[&str]) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let form = ["tree", "--manifest-path", manifest, "--prefix", "none", "--format", "{p}|{f}"];
    let output = Command::new(cargo).args(form).args(args).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let Some((package, features)) = line.trim_end_matches(" (*)").split_once('|') else { continue };
        packages.entry(package.to_string()).or_default().extend(features.split(',').map(str::to_string));
    }
    Ok(packages)
}

/// Who reads the hub's data sets, or fetches weights, builds no candle for it.
#[test]
fn the_hub_is_reached_without_candle() -> Result<(), Failure> {
    for package in ["cnn-data", "cnn-catalogue", "cnn-classifier"] {
        let packages =
            built(&["--package", package, "--no-default-features", "--features", "hub", "--edges", "normal,build"])?;
        let candle =
            packages.keys().find(|package| package.starts_with("candle-") || package.starts_with("tokenizers "));
        assert_eq!(candle, None, "{package}");
        assert!(packages.len() > 20, "{package}: {}", packages.len());
    }
    Ok(())
}

/// Otherwise the second command of the README compiles candle, and all that stands on it, a second time.
#[test]
fn the_program_and_the_tests_are_built_over_the_same_packages() -> Result<(), Failure> {
    let program = built(&["--package", "xtask", "--edges", "normal,build"])?;
    let tests = built(&["--workspace", "--edges", "normal,build,dev"])?;
    assert!(program.len() > 100, "{}", program.len());
    let differs = |package: &&String| tests[*package] != program[*package];
    assert_eq!(program.keys().find(differs), None, "features that only one of them has");

    // Without candle, as `cargo xtask` is: all but what stands on candle, and what draws the dashboard, is built once for both.
    let without = built(&["--package", "xtask", "--no-default-features", "--edges", "normal,build"])?;
    assert!(!without.keys().any(|package| package.starts_with("candle-")), "candle is in the program without it");
    let left_out = ["candle", "terminal", "whitening"];
    // What turns these on is called `default` everywhere; no feature at all has an empty name.
    let is_other =
        |feature: &&String| !left_out.contains(&feature.as_str()) && *feature != "default" && !feature.is_empty();
    let rest = |features: &BTreeSet<String>| -> Vec<String> { features.iter().filter(is_other).cloned().collect() };
    let others = without.iter().filter(|(package, _)| !package.starts_with("xtask "));
    for (package, features) in others.filter(|(package, features)| tests[*package] != **features) {
        let lacks = |feature: &str| tests[package].contains(feature) && !features.contains(feature);
        let known = left_out.iter().any(|feature| lacks(feature)) && rest(features) == rest(&tests[package]);
        assert!(known, "{package}: features that only one of them has: {features:?}, {:?}", tests[package]);
    }
    Ok(())
}
