//! Writes the files that `tests/goldens/every_operation.py` runs: `every_operation FOLDER`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

fn main() -> common::Outcome {
    let folder = std::env::args().nth(1).ok_or("a folder is needed")?;
    let network = common::network()?;
    let weights = common::weights(&network)?;
    for (name, export) in common::exports() {
        std::fs::write(Path::new(&folder).join(format!("{name}.onnx")), export.to_bytes(&network, &weights)?)?;
    }
    Ok(())
}
