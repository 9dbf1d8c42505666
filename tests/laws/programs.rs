//! Which programs the tests are linked into: with `autotests = false` a file that nobody names would never run.

use super::Failure;
use std::fs;
use std::path::Path;

fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    entries.collect()
}

#[test]
fn every_file_of_tests_is_in_a_program() -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut packages: Vec<_> = names(&root.join("crates"))?.iter().map(|name| root.join("crates").join(name)).collect();
    packages.push(root.join("xtask"));
    let mut seen = 0;
    for package in packages {
        let manifest = fs::read_to_string(package.join("Cargo.toml"))?;
        if !manifest.contains("autotests = false") {
            continue;
        }
        let all = fs::read_to_string(package.join("tests/all.rs"))?;
        for name in names(&package.join("tests"))? {
            let Some(module) = name.strip_suffix(".rs") else { continue };
            let named = manifest.contains(&format!("[[test]]\nname = \"{module}\"\n"));
            let joined = all.lines().any(|line| line == format!("mod {module};"));
            assert!(named != joined, "{}: tests/{name} is in no program, or in two", package.display());
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
    Ok(())
}
