//! Trains by a loss of one's own, on either engine: the multi-class hinge loss of Weston and Watkins (1999).
//! `cargo run -p cnn-train --example own_loss`

use cnn_data::{DigitsConfig, digits};
use cnn_lenet::lenet;
use cnn_train::{LossAndGradients, LossFunction, Output, Result, Settings, Silent, Targets, Task, fit, train};

/// The mean over images of `Σ max(0, 1 + score − the label's score)` over the other classes.
#[derive(Debug)]
struct Hinge;

impl LossFunction for Hinge {
    fn loss(&self, outputs: &[Output<'_>], targets: &Targets<'_>) -> Result<LossAndGradients> {
        let (scores, images) = (outputs[0].values, targets.labels.len());
        let (mut value, mut gradient) = (0.0, vec![0.0; scores.len()]);
        let classes = scores.len() / images;
        let rows = scores.chunks(classes).zip(gradient.chunks_mut(classes));
        for ((scores, gradient), label) in rows.zip(targets.labels) {
            let own = *label as usize;
            for class in (0..classes).filter(|class| *class != own) {
                let margin = 1.0 + scores[class] - scores[own];
                if margin > 0.0 {
                    value += f64::from(margin) / images as f64;
                    gradient[class] += 1.0 / images as f32;
                    gradient[own] -= 1.0 / images as f32;
                }
            }
        }
        Ok(LossAndGradients { value, gradients: vec![Some(gradient)] })
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dataset = digits(DigitsConfig { train: 1_000, test: 200, ..DigitsConfig::default() })?;
    let (network, preparation) = fit(&lenet(10), dataset.train(), None)?;
    let settings = Settings { epochs: 3, ..Settings::default() };
    let task = Task { settings, loss: &Hinge, ..Task::new(&network, &dataset, preparation) };
    println!("{:?}", train(&task, None, &mut Silent)?.epochs);
    Ok(())
}
