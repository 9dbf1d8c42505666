//! The memory that a step is planned to take.

use cnn_network::definition::*;
use cnn_plan::{TrainingOptions, TrainingPlan};

#[test]
fn a_step_holds_maps_winners_and_the_largest_gradient_in_one_piece() -> Result<(), Box<dyn std::error::Error>> {
    let layers = chain()
        .then("conv", conv(3).out(16))
        .relu()
        .then("pool", max_pool(2).stride(2))
        .flatten()
        .then("scores", linear(7));
    let network = layers.named("small", [3, 10, 10]).at_usual_input()?;
    let plan = TrainingPlan::new(&network, TrainingOptions::default())?;
    // Of 16 maps of 4×4 a byte each.
    let maps = 2 * (4 * plan.numbers_per_image() as u64 + 16 * 4 * 4);
    // The gradient of the linear layer comes in parts, unless all are wanted whole.
    assert_eq!(plan.step_bytes(2, false), maps + 4 * (16 * 3 * 9));
    assert_eq!(plan.step_bytes(2, true), maps + 4 * (7 * 16 * 4 * 4));
    let frozen = vec![true, true, false, false];
    let plan = TrainingPlan::new(&network, TrainingOptions { frozen: &frozen, ..TrainingOptions::default() })?;
    assert_eq!(plan.step_bytes(1, false), 4 * plan.numbers_per_image() as u64 + 16 * 4 * 4);
    Ok(())
}
