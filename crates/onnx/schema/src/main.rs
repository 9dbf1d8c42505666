//! Writes `crates/onnx/src/schema.rs` from `onnx.proto`.

use std::error::Error;
use std::path::Path;

const HEAD: &str = "\
//! The messages of an ONNX file, as far as this crate writes them.
//!
//! Generated from `schema/onnx.proto`, an extract of ONNX's own schema (<https://github.com/onnx/onnx>, Apache-2.0). To
//! write it again: `cargo run --target-dir target/schema --manifest-path crates/onnx/schema/Cargo.toml`.

";

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptors = protox::compile([here.join("onnx.proto")], [here])?;
    let out = std::env::temp_dir().join(format!("cnn-onnx-schema-{}", std::process::id()));
    std::fs::create_dir_all(&out)?;
    prost_build::Config::new().out_dir(&out).compile_fds(descriptors)?;
    let generated = std::fs::read_to_string(out.join("onnx.rs"))?;
    std::fs::remove_dir_all(&out)?;
    // `type` and the like are escaped by prost; the first line says who generated it.
    let body = generated.split_once('\n').map_or(generated.as_str(), |(_, body)| body);
    std::fs::write(here.join("../src/schema.rs"), format!("{HEAD}{body}"))?;
    Ok(())
}
