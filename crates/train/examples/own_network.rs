//! Trains a network of one's own: a definition, a data set, settings.
//!
//! ```sh
//! cargo run -p cnn-train --example own_network
//! ```

use cnn_core::definition::*;
use cnn_data::{DigitsConfig, digits};
use cnn_train::{Epoch, Observer, Rule, RunFolder, Schedule, Settings, Task, fit, train};

/// Prints a line an epoch. An observer may also stop a run, or draw it.
struct Print;

impl Observer for Print {
    fn epoch(&mut self, epoch: &Epoch, best: bool) {
        let star = if best { " *" } else { "" };
        println!(
            "epoch {:2}  loss {:.3}  test accuracy {:.1} %{star}",
            epoch.epoch,
            epoch.train_loss,
            100.0 * epoch.test_accuracy
        );
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Two residual blocks behind a stem. Channels of the inputs and all sizes follow from the images.
    let block = |width| {
        sum()
            .branch(chain().then("conv1", conv(3).out(width).pad(1).no_bias()).then("bn1", batch_norm()).relu())
            .branch(chain())
    };
    let architecture = chain()
        .then("stem", conv(5).out(16).stride(2))
        .relu()
        .then("block1", block(16))
        .and(max_pool(2))
        .then("block2", block(16))
        .global_avg_pool()
        .then("fc", linear(10))
        .named("mine", [1, 28, 28]);

    // Drawn on the spot; `cnn_data::load` has MNIST, CIFAR-10 and folders of images.
    let dataset = digits(DigitsConfig { train: 2_000, test: 500, ..DigitsConfig::default() })?;
    let (network, preparation) = fit(&architecture, dataset.train(), None)?;
    println!("{}", network.summary());

    let settings = Settings {
        epochs: 5,
        learning_rate: 0.05,
        optimizer: Rule::Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-4 },
        schedule: Schedule::OneCycle { peak_at: 0.3, start: 0.1, end: 0.001 },
        label_smoothing: 0.05,
        ..Settings::default()
    };
    let task = Task { settings, ..Task::new(&network, &dataset, preparation) };

    // The folder gets weights, figures and checkpoints; `RunFolder::resume` would go on with a run that was stopped.
    let place = std::env::temp_dir().join("own-network");
    let folder = RunFolder::create_or_overwrite(&place)?;
    let outcome = train(&task, Some(&folder), &mut Print)?;
    println!("best after epoch {}: {}", outcome.epochs[outcome.best].epoch, folder.best().display());
    Ok(())
}
