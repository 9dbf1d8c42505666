//! A plan that is packed once: `cargo run --release -p cnn-resnet --example saved_plan FILE` packs ResNet-50 into the file if
//! it is not there, and otherwise maps the file and answers. Says how long each part took.

use cnn_resnet::cnn_core::{InferenceOptions, InferencePlan, Weights};
use cnn_resnet::{Depth, resnet};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let took = |what: &str| println!("{what}: {:.1} ms since the start", 1e3 * start.elapsed().as_secs_f64());
    let path = std::env::args().nth(1).ok_or("which file?")?;
    let network = resnet(Depth::D50, 1000).at([3, 224, 224])?;
    took("network");
    if !std::path::Path::new(&path).exists() {
        let weights = Weights::initialised(&network, 1);
        InferencePlan::new(&network, &weights, InferenceOptions::default())?.save(&path)?;
        took("packed and saved");
        return Ok(());
    }
    let plan = InferencePlan::open(&path, &network, None, InferenceOptions::default())?;
    took("plan");
    let mut workspace = plan.workspace(1)?;
    let (picture, mut logits) = (vec![0.5; 3 * 224 * 224], vec![0.0; 1000]);
    plan.run(&mut workspace, &picture, &mut [&mut logits])?;
    took("first answer");
    Ok(())
}
