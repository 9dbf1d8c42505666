//! The worked example of `docs/planning.md`: the plan it shows is the plan that is made.

use cnn_network::definition::*;
use cnn_plan::{TrainingOptions, TrainingPlan};

#[test]
fn the_documented_plan_is_the_one_made() -> Result<(), Box<dyn std::error::Error>> {
    let convolutions = chain()
        .then("conv1", conv(3).out(64).pad(1).no_bias())
        .then("bn1", batch_norm())
        .relu()
        .then("conv2", conv(3).out(64).pad(1).no_bias())
        .then("bn2", batch_norm());
    let network = chain()
        .then("stem", conv(3).out(64).pad(1))
        .then("block", chain().and(sum().branch(convolutions).branch(chain())).relu())
        .named("example", [3, 56, 56])
        .at_usual_input()?;
    let plan = TrainingPlan::new(&network, TrainingOptions::default())?.to_string();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/planning.md"))?;
    assert!(page.contains(&plan), "docs/planning.md should show this plan:\n{plan}");
    Ok(())
}
