//! Ends a run by rules of one's own: when it is good enough, or when time is up.
//! `cargo run -p cnn-train --example own_stopping`

use cnn_data::{DigitsConfig, digits};
use cnn_lenet::lenet;
use cnn_train::{Epoch, Observer, StepReport, Stop, Task, fit, train};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Ends a run well after the step at which its time is up: the network is evaluated and kept as after an epoch.
struct Until(Instant);

impl Observer for Until {
    fn step(&mut self, _: &StepReport) -> ControlFlow<Stop> {
        if Instant::now() < self.0 { ControlFlow::Continue(()) } else { ControlFlow::Break(Stop::Finish) }
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dataset = digits(DigitsConfig { train: 1_000, test: 200, ..DigitsConfig::default() })?;
    let (network, preparation) = fit(&lenet(10), dataset.train(), None)?;
    // A rule goes by the figures alone: a run that is resumed ends where it would have ended.
    let good_enough = |epochs: &[Epoch]| epochs.last().is_some_and(|epoch| epoch.test_accuracy > 0.8);
    let task = Task { stopping: vec![&good_enough], ..Task::new(&network, &dataset, preparation) };
    let outcome = train(&task, None, &mut Until(Instant::now() + Duration::from_secs(60)))?;
    println!("{:?} after epoch {}", outcome.ending, outcome.epochs.len());
    Ok(())
}
