//! The engine for web pages, compiled when it is first wanted.

use crate::compiled;
use anyhow::{Context, Result, bail};
use cnn_figures::path;

const TARGET: &str = "wasm32-unknown-unknown";
/// No module is as large.
const LARGEST: u64 = 20_000_000;

/// The module's bytes.
///
/// # Errors
///
/// Where it cannot be compiled: no cargo, no such target.
pub fn compiled() -> Result<Vec<u8>> {
    let target = compiled::folder();
    eprintln!("compiling the page's engine to WebAssembly (a minute or two, the first time)");
    let built = compiled::build(|cargo| {
        cargo
            .args(["--profile", "page", "--package", "cnn-browser", "--target", TARGET])
            .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
            .arg("--target-dir")
            .arg(&target)
            // Flags for this computer's instructions are not WebAssembly's.
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", "-C target-feature=+simd128");
    });
    if let Err([why, said]) = built {
        if said.contains("target may not be installed") || said.contains("can't find crate for") {
            bail!("Rust's target {TARGET} is not installed: rustup target add {TARGET}");
        }
        bail!("the page's engine cannot be compiled: {why}");
    }
    let file = target.join(TARGET).join("page/cnn_browser.wasm");
    cnn_core::file::read(&file, LARGEST).with_context(|| format!("cannot read {}", path(&file)))
}
