//! rten, a rival in Rust: a program outside the workspace, compiled when a race wants it.

use super::lineup::Absent;
use std::path::PathBuf;
use std::process::Command;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/race/rten/Cargo.toml");
const LOCKED: &str = include_str!("../../race/rten/Cargo.lock");

/// The program, and rten's version.
///
/// # Errors
///
/// Where it cannot be compiled.
pub fn compiled() -> Result<(PathBuf, String), Absent> {
    let cargo =
        std::env::var_os("CARGO").ok_or("this command does not run as `cargo xtask race`, which compiles it")?;
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(beside, PathBuf::from).join("race");
    eprintln!("compiling rten (a minute or two, the first time)");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path", MANIFEST, "--target-dir"])
        .arg(&target)
        .output()
        .map_err(|error| format!("cargo does not run: {error}"))?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        let first = said.lines().find(|line| line.starts_with("error")).unwrap_or("cargo failed");
        return Err(format!("it cannot be compiled: {first}"));
    }
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
