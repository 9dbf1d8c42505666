//! Changes training images in a way of one's own: `cargo run -p cnn-train --example own_augmentation`

use cnn_data::{DigitsConfig, Draws, Error, Picture, Transform, digits};
use cnn_lenet::lenet;
use cnn_train::{Settings, Silent, Task, fit, train};
use std::sync::Arc;

/// Salt and pepper: this share of the pixels becomes black or white.
#[derive(Debug)]
struct Noise(f64);

impl Transform for Noise {
    fn apply(&self, picture: &mut Picture<'_>, _: [usize; 2], draws: &mut Draws) -> Result<(), Error> {
        for pixel in picture.pixels_mut() {
            if draws.chance(self.0) {
                *pixel = if draws.chance(0.5) { 255 } else { 0 };
            }
        }
        Ok(())
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dataset = digits(DigitsConfig { train: 1_000, test: 200, ..DigitsConfig::default() })?;
    let (network, preparation) = fit(&lenet(10), dataset.train(), None)?;
    let settings = Settings { epochs: 2, ..Settings::default() };
    let task = Task { settings, transforms: vec![Arc::new(Noise(0.05))], ..Task::new(&network, &dataset, preparation) };
    println!("{:?}", train(&task, None, &mut Silent)?.epochs);
    Ok(())
}
