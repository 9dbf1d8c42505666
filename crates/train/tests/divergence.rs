//! What a run says whose loss is no longer finite.

use cnn_core::definition::{chain, linear};
use cnn_data::{DigitsConfig, Preparation, digits};
use cnn_train::{Error, Group, Rule, Schedule, Settings, Silent, Task, WarmUp, train};

type Failure = Box<dyn std::error::Error>;

#[test]
fn a_group_that_learns_faster_is_named() -> Result<(), Failure> {
    let network = chain().flatten().then("fc", linear(10)).named("small", [1, 28, 28]).at_usual_input()?;
    let data = digits(DigitsConfig { train: 40, test: 10, seed: 3 })?;
    let said = |learning_rate, factors: &[(&str, f64)]| -> Result<String, Failure> {
        let group = |(prefix, learning_rate): &(&str, f64)| Group {
            prefix: prefix.to_string(),
            learning_rate: *learning_rate,
            weight_decay: 1.0,
        };
        let groups = factors.iter().map(group).collect();
        let schedule = Schedule::Constant;
        let settings = Settings { learning_rate, groups, schedule, batch_size: 10, ..Settings::default() };
        let task = Task { settings, ..Task::new(&network, &data, Preparation::mnist()) };
        match train(&task, None, &mut Silent) {
            Err(error @ Error::Diverged { .. }) => Ok(error.to_string()),
            other => Err(format!("it did not diverge: {other:?}").into()),
        }
    };
    let found = said(1e300, &[("fc.bias", 0.5)])?;
    assert!(found.ends_with("(learning rate 1e300); a smaller learning rate may help"), "{found}");
    let found = said(1e35, &[("fc.bias", 2.0), ("*", 1e6)])?;
    let end = "(learning rate 1e35, times 1000000 for the group *); a smaller learning rate may help";
    assert!(found.ends_with(end), "{found}");
    Ok(())
}

/// Neither a decay that is too large nor weights that are ruined are mended by a smaller learning rate.
#[test]
fn what_may_help_is_said() -> Result<(), Failure> {
    let network = chain().flatten().then("fc", linear(10)).named("small", [1, 28, 28]).at_usual_input()?;
    let data = digits(DigitsConfig { train: 40, test: 10, seed: 3 })?;
    let said = |settings: Settings| -> Result<String, Failure> {
        let settings = Settings { schedule: Schedule::Constant, batch_size: 40, ..settings };
        let task = Task { settings, ..Task::new(&network, &data, Preparation::mnist()) };
        Ok(train(&task, None, &mut Silent).err().ok_or("it did not diverge")?.to_string())
    };
    let optimizer = Rule::sgd(0.0).decaying(1e38);
    let found = said(Settings { learning_rate: 0.5, optimizer, epochs: 9, ..Settings::default() })?;
    assert!(found.ends_with("; a smaller weight decay may help: a step takes away 5e37 times each weight"), "{found}");
    // Each epoch is a step, from one that ruins the weights to one that 32 bits do not hold.
    let warm_up = Some(WarmUp { epochs: 3.0, from: 1e-9 });
    let found = said(Settings { learning_rate: 3e38, warm_up, epochs: 9, ..Settings::default() })?;
    assert!(
        found.contains("; the loss was beyond 1000000 in epoch ") && found.ends_with("with a smaller one"),
        "{found}"
    );
    Ok(())
}
