//! Whether the files that the documents name are there.

use super::Failure;
use std::fs;
use std::path::{Path, PathBuf};

/// A name in backticks that begins so is a path from the root of the repository.
const ROOMS: [&str; 4] = ["crates/", "docs/", "tests/", "xtask/"];

/// The README, the changelog and all pages of `docs` that people write.
fn documents(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    for folder in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root.join(folder))?.collect::<Result<Vec<_>, _>>()?;
        found.extend(entries.into_iter().map(|e| e.path()).filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    Ok(found)
}

/// What a line names: paths from the root; a bare `name.rs` after one lies in the same folder, if the line is a table's.
fn named(line: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    for name in line.split('`').skip(1).step_by(2).filter(|name| plain(name)) {
        match paths.last().and_then(|last| last.parent()) {
            _ if ROOMS.iter().any(|room| name.starts_with(room)) => paths.push(name.into()),
            Some(folder) if line.starts_with('|') && name.ends_with(".rs") && !name.contains('/') => {
                paths.push(folder.join(name));
            }
            _ => {}
        }
    }
    paths
}

#[test]
fn every_file_that_a_document_names_is_there() -> Result<(), Failure> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let (mut missing, mut looked) = (Vec::new(), 0);
    for document in documents(root)? {
        for (number, line) in fs::read_to_string(&document)?.lines().enumerate() {
            for path in named(line) {
                looked += 1;
                if !root.join(&path).exists() {
                    missing.push(format!("{}:{}: {}", document.display(), number + 1, path.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(looked > 50, "only {looked} paths were found: are they still written in backticks?");
    Ok(())
}
