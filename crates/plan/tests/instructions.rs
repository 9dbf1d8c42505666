//! Instructions asked for that are not there: an error of every plan, in a process that asks for them.

use cnn_network::definition::{chain, linear};
use cnn_plan::{EvaluationPlan, GradientPlan, InferenceOptions, InferencePlan, TrainingOptions, TrainingPlan};
use cnn_weights::Weights;
use std::process::Command;

type Failure = Box<dyn std::error::Error>;

#[test]
fn no_plan_is_made_for_instructions_that_are_not_there() -> Result<(), Failure> {
    const CHILD: &str = "CNN_TEST_UNKNOWN_INSTRUCTIONS";
    if std::env::var_os(CHILD).is_none() {
        let name = "instructions::no_plan_is_made_for_instructions_that_are_not_there";
        let mut child = Command::new(std::env::current_exe()?);
        let child = child.args(["--exact", name]).env(CHILD, "1").env("CNN_INSTRUCTION_SET", "avx9").output()?;
        assert!(child.status.success() && String::from_utf8_lossy(&child.stdout).contains("1 passed"), "{child:?}");
        return Ok(());
    }
    let network = chain().flatten().then("fc", linear(2)).named("small", [1, 2, 2]).at_usual_input()?;
    let (weights, options) = (Weights::initialised(&network, 7), InferenceOptions::default());
    let node = network.outputs()[0].node;
    let refusals = [
        InferencePlan::new(&network, &weights, options).err(),
        InferencePlan::open("nowhere", &network, None, options).err(),
        TrainingPlan::new(&network, TrainingOptions::default()).err(),
        EvaluationPlan::new(&network).err(),
        GradientPlan::new(&network, &[node], &[node]).err(),
    ];
    for refusal in refusals {
        let said = refusal.ok_or("a plan was made")?.to_string();
        assert_eq!(said, "CNN_INSTRUCTION_SET: avx9 is not one of avx512, avx2, neon, simd128, portable");
    }
    Ok(())
}
