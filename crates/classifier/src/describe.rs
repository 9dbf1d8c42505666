//! Preparation in words.

use cnn_data::{Card, Fit};

/// How a picture becomes an input for weights with this card, in a sentence without its end: for people who want to see
/// what is done to their pictures.
pub fn preparation(card: &Card) -> String {
    let preparation = &card.preparation;
    let colours = match preparation.mean.len() {
        1 => "in grey".to_string(),
        3 => "in red, green and blue".to_string(),
        channels => format!("in {channels} channels"),
    };
    let usual = card.images.unwrap_or([card.input[1], card.input[2]]);
    let stretched = format!("stretched to {}×{}", usual[0], usual[1]);
    let fit = match preparation.fit {
        Fit::None => stretched,
        Fit::Pad { height, width } => format!("{stretched}, framed in black to {height}×{width}"),
        Fit::Resize { height, width, interpolation } => format!("stretched to {height}×{width} ({interpolation})"),
        Fit::Crop { short, height, width, interpolation } => {
            format!("shorter side {short} ({interpolation}), of it the middle {height}×{width}")
        }
        other => format!("fitted by {other:?}"),
    };
    let numbers = |numbers: &[f32]| numbers.iter().map(f32::to_string).collect::<Vec<_>>().join(", ");
    format!("{colours}, {fit}; mean {}, deviation {}", numbers(&preparation.mean), numbers(&preparation.std))
}
