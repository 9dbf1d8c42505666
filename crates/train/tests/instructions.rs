//! Instructions asked for that are not there: refused before anything is trained, in a process that asks for them.

use cnn_core::definition::{chain, linear};
use cnn_data::{DigitsConfig, Preparation, digits};
use cnn_train::{Engine, LossFunction, Output, SoftmaxCrossEntropy, Targets, Task};
use std::process::Command;

type Failure = Box<dyn std::error::Error>;

#[test]
fn nothing_is_trained_by_instructions_that_are_not_there() -> Result<(), Failure> {
    const CHILD: &str = "CNN_TEST_UNKNOWN_INSTRUCTIONS";
    if std::env::var_os(CHILD).is_none() {
        let name = "instructions::nothing_is_trained_by_instructions_that_are_not_there";
        let mut child = Command::new(std::env::current_exe()?);
        let child = child.args(["--exact", name]).env(CHILD, "1").env("CNN_INSTRUCTION_SET", "avx9").output()?;
        assert!(child.status.success() && String::from_utf8_lossy(&child.stdout).contains("1 passed"), "{child:?}");
        return Ok(());
    }
    let expected = "CNN_INSTRUCTION_SET: avx9 is not one of avx512, avx2, neon, simd128, portable";
    let network = chain().flatten().then("fc", linear(10)).named("small", [1, 28, 28]).at_usual_input()?;
    let data = digits(DigitsConfig { train: 20, test: 10, seed: 3 })?;
    for engine in [Engine::Plan, Engine::Candle] {
        let task = Task { engine, ..Task::new(&network, &data, Preparation::mnist()) };
        assert_eq!(task.check().unwrap_err().to_string(), expected, "{engine:?}");
    }
    let output = Output { values: &[0.5, 0.5], weight: 1.0 };
    let refusal = SoftmaxCrossEntropy.loss(&[output], &Targets::new(&[0])).unwrap_err();
    assert_eq!(refusal.to_string(), expected);
    Ok(())
}
