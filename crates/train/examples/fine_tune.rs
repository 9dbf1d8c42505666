//! Trains LeNet on the digits 0 to 4, then a last layer for all ten on what it has learnt.
//!
//! ```sh
//! cargo run -p cnn-train --example fine_tune
//! ```
//!
//! From the command line it is `cargo xtask train NET --init FILE --freeze PREFIX,PREFIX`.

use cnn_data::{Dataset, DigitsConfig, digits};
use cnn_lenet::lenet;
use cnn_train::{RunFolder, Settings, Silent, Task, Weights, fit, train};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let all = digits(DigitsConfig { train: 4_000, test: 1_000, ..DigitsConfig::default() })?;
    let below_five = |images: &cnn_data::Images| {
        let chosen: Vec<usize> = (0..images.len()).filter(|i| images.labels()[*i] < 5).collect();
        images.select(&chosen)
    };
    let classes = all.classes()[..5].to_vec();
    let half = Dataset::new("digits below five", classes, below_five(all.train())?, below_five(all.test())?)?;

    let place = std::env::temp_dir().join("fine-tune");
    let folder = RunFolder::create_or_overwrite(&place)?;
    let (network, preparation) = fit(&lenet(5), half.train(), None)?;
    let settings = Settings { epochs: 3, ..Settings::default() };
    let task = Task { settings, ..Task::new(&network, &half, preparation.clone()) };
    let outcome = train(&task, Some(&folder), &mut Silent)?;
    println!("five digits: {:.1} %", 100.0 * outcome.epochs[outcome.best].test_accuracy);

    // The same network for ten classes. Its last layer has another shape and begins anew, the convolutions stay as
    // they are; images must be prepared as they were.
    let network = lenet(10).at(preparation.shape(all.train().shape())?)?;
    let start = Weights::read(folder.best())?.start(&network)?;
    println!("begin anew: {}", start.anew.join(", "));
    let settings = Settings { epochs: 3, freeze: vec!["conv1".into(), "conv2".into()], ..Settings::default() };
    let task = Task { settings, start: Some(start), ..Task::new(&network, &all, preparation) };
    let outcome = train(&task, None, &mut Silent)?;
    println!("ten digits: {:.1} %", 100.0 * outcome.epochs[outcome.best].test_accuracy);
    Ok(())
}
