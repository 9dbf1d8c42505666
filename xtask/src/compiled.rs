//! What a command has cargo compile when it is first wanted, beside this program.

use std::path::PathBuf;
use std::process::Command;

/// Where cargo puts what it compiles.
pub fn folder() -> PathBuf {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(beside, PathBuf::from)
}

/// Runs `cargo build --quiet` with what is added to it.
///
/// # Errors
///
/// Why it was not compiled, in a sentence's end, and all that was said of it.
pub fn build(add: impl FnOnce(&mut Command)) -> Result<(), [String; 2]> {
    let without = |why: String| [why, String::new()];
    let Some(cargo) = std::env::var_os("CARGO") else {
        return Err(without("cargo compiles it: run this command as `cargo xtask …`".to_string()));
    };
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet"]);
    add(&mut command);
    let built = command.output().map_err(|error| without(format!("cannot run cargo: {error}")))?;
    if built.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    let first = said.lines().find(|line| line.starts_with("error")).unwrap_or("cargo failed").to_string();
    Err([first, said])
}
