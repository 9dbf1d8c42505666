//! The documentation that is generated from the values: a page a family, diagrams, the README's table, the answers'
//! numbers, the picture of accuracy against cost, the page and the picture of the races.

mod chart;
mod departures;
mod markers;
mod page;
mod performance;
mod questions;

use crate::race::Records;
use anyhow::{Context, Result};
use cnn_zoo::Family;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where pages and diagrams lie; nothing else does.
const FOLDER: &str = "docs/networks";

/// The recorded races, measured and not generated.
pub const RECORDS: &str = "docs/performance.json";

/// The root of the repository that this program was built from.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Every generated file, by its path from `root`. What stands outside of markers is read from there.
pub fn generate(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    let folder = Path::new(FOLDER);
    for family in Family::ALL {
        files.insert(folder.join(format!("{family}.md")), page::of(family, root)?);
    }
    for entry in cnn_zoo::all() {
        let network = entry.architecture(entry.classes).at_usual_input()?;
        files.insert(folder.join(format!("{}.svg", entry.name)), network.diagram());
    }
    files.insert(folder.join("README.md"), page::index()?);
    files.insert(PathBuf::from("docs/accuracy-against-cost.svg"), chart::draw()?);
    let readme = read(root, "README.md")?;
    files.insert(PathBuf::from("README.md"), markers::fill(&readme, "networks", |_| page::families())?);
    files.insert(PathBuf::from("docs/questions.md"), questions::fill(&read(root, "docs/questions.md")?)?);
    let records = Records::read(&root.join(RECORDS))?;
    let page = performance::fill(&read(root, "docs/performance.md")?, &records)?;
    files.insert(PathBuf::from("docs/performance.md"), page);
    files.insert(PathBuf::from("docs/performance.svg"), performance::draw(&records));
    Ok(files)
}

/// Those of the generated `files` that are missing below `root` or differ, and what lies among them that none of them is.
pub fn stale(files: &BTreeMap<PathBuf, String>, root: &Path) -> Result<Vec<PathBuf>> {
    let mut stale: Vec<PathBuf> = files
        .iter()
        .filter(|(path, text)| fs::read_to_string(root.join(path)).ok().as_ref() != Some(*text))
        .map(|(path, _)| path.clone())
        .collect();
    for file in fs::read_dir(root.join(FOLDER)).into_iter().flatten() {
        let path = Path::new(FOLDER).join(file?.file_name());
        if !files.contains_key(&path) {
            stale.push(path);
        }
    }
    Ok(stale)
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("{path} cannot be read"))
}
