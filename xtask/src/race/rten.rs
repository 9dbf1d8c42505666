//! rten, a rival in Rust: a program outside the workspace, compiled when a race wants it.

use super::contestant::Absent;
use crate::compiled;
use std::path::PathBuf;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/race/rten/Cargo.toml");
const LOCKED: &str = include_str!("../../race/rten/Cargo.lock");

/// The program, and rten's version.
///
/// # Errors
///
/// Where it cannot be compiled.
pub fn compiled() -> Result<(PathBuf, String), Absent> {
    eprintln!("compiling rten (a minute or two, the first time)");
    let target = compiled::folder().join("race");
    compiled::build(|cargo| {
        cargo.args(["--release", "--locked", "--manifest-path", MANIFEST, "--target-dir"]).arg(&target);
    })
    .map_err(|[why, _]| format!("it cannot be compiled: {why}"))?;
    Ok((target.join("release/rten-rival"), version()))
}

/// The version that is locked.
fn version() -> String {
    let lines = LOCKED.split_once("name = \"rten\"\n").map_or("", |(_, lines)| lines);
    let version = lines.lines().next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_is_the_locked_one() {
        let version = super::version();
        assert!(
            version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u32>().is_ok()),
            "{version}"
        );
    }
}
