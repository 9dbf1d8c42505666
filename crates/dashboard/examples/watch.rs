//! A network of one's own, trained under the eyes of the dashboard.

use anyhow::Result;
use cnn_core::definition::{chain, conv, linear, max_pool};
use cnn_dashboard::Dashboard;
use cnn_data::{DigitsConfig, Preparation, digits};
use cnn_train::{Settings, Task, train};

fn main() -> Result<()> {
    let dataset = digits(DigitsConfig::default())?;
    let network = chain()
        .then("conv1", conv(5).out(8))
        .relu()
        .and(max_pool(2))
        .then("conv2", conv(5).out(16))
        .relu()
        .and(max_pool(2))
        .flatten()
        .then("fc", linear(10))
        .named("own", [1, 28, 28])
        .at(dataset.train().shape())?;
    let task = Task {
        settings: Settings { epochs: 20, ..Settings::default() },
        ..Task::new(&network, &dataset, Preparation::of(dataset.train())?)
    };
    let outcome = train(&task, None, &mut Dashboard::open()?)?;
    println!("best test accuracy {:.2} %", 100.0 * outcome.epochs[outcome.best].test_accuracy);
    Ok(())
}
