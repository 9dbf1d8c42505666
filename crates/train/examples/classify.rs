//! A file of weights and a picture in, class and probability out:
//! `cargo run -p cnn-train --example classify runs/lenet-digits/best.safetensors digit.png`

use cnn_core::{Predictor, Weights};
use cnn_data::{Card, Picture};
use cnn_lenet::lenet;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let weights = Weights::read(arguments.next().ok_or("no file of weights")?)?;
    let picture = Picture::open(arguments.next().ok_or("no picture")?)?;
    let card = Card::of(&weights)?.ok_or("the file does not say what its classes are")?;

    let network = lenet(card.classes.len()).at(card.input)?;
    let predictor = Predictor::new(&network, &weights)?;
    let probabilities = predictor.probabilities(&card.preparation.prepare(&picture)?)?;

    for (class, probability) in card.classes.iter().zip(probabilities) {
        println!("{class}: {:.1} %", 100.0 * probability);
    }
    Ok(())
}
