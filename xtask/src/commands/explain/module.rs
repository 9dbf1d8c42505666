//! The engine for web pages, compiled when it is first wanted.

use anyhow::{Context, Result, bail};
use cnn_figures::path;
use std::path::PathBuf;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// No module is as large.
const LARGEST: u64 = 20_000_000;

/// The module's bytes.
///
/// # Errors
///
/// Where it cannot be compiled: no cargo, no such target.
pub fn compiled() -> Result<Vec<u8>> {
    let Some(cargo) = std::env::var_os("CARGO") else {
        bail!("the page's engine is compiled by cargo: run this command as `cargo xtask explain`");
    };
    let target = folder();
    eprintln!("compiling the page's engine to WebAssembly (a minute or two, the first time)");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--profile", "page", "--package", "cnn-browser", "--target", TARGET])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .arg("--target-dir")
        .arg(&target)
        // Flags for this computer's instructions are not WebAssembly's.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "-C target-feature=+simd128")
        .output()
        .context("cannot run cargo")?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        if said.contains("target may not be installed") || said.contains("can't find crate for") {
            bail!("Rust's target {TARGET} is not installed: rustup target add {TARGET}");
        }
        let first = said.lines().find(|line| line.starts_with("error")).unwrap_or("cargo failed").to_string();
        bail!("the page's engine cannot be compiled: {first}");
    }
    let file = target.join(TARGET).join("page/cnn_browser.wasm");
    cnn_core::file::read(&file, LARGEST).with_context(|| format!("cannot read {}", path(&file)))
}

/// Where cargo puts what it compiles.
fn folder() -> PathBuf {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(beside, PathBuf::from)
}
