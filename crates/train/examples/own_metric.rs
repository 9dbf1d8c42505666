//! Measures a figure of one's own after every epoch: the accuracy of the class that is known worst.
//! `cargo run -p cnn-train --example own_metric`

use cnn_data::{DigitsConfig, digits};
use cnn_lenet::lenet;
use cnn_train::{Metric, Predictions, Settings, Silent, Task, Top, fit, train};

#[derive(Debug)]
struct WorstClass;

impl Metric for WorstClass {
    fn name(&self) -> String {
        "worst-class".to_string()
    }

    fn value(&self, predictions: &Predictions) -> f64 {
        let mut counts = vec![[0.0, 0.0]; predictions.classes()];
        for ((predicted, _), label) in predictions.predicted().zip(predictions.labels()) {
            let [right, all] = &mut counts[*label as usize];
            *right += f64::from(u8::from(predicted == *label));
            *all += 1.0;
        }
        counts.iter().filter(|[_, all]| *all > 0.0).map(|[right, all]| right / all).fold(1.0, f64::min)
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dataset = digits(DigitsConfig { train: 1_000, test: 200, ..DigitsConfig::default() })?;
    let (network, preparation) = fit(&lenet(10), dataset.train(), None)?;
    let settings = Settings { epochs: 2, ..Settings::default() };
    let task = Task { settings, metrics: vec![&WorstClass, &Top(3)], ..Task::new(&network, &dataset, preparation) };
    for epoch in train(&task, None, &mut Silent)?.epochs {
        println!("epoch {}: {:?}", epoch.epoch, epoch.metrics);
    }
    Ok(())
}
