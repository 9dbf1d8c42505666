//! What a file of weights says of itself: of the card that `cnn-data` writes what a page needs.

use cnn_weights::Weights;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Card {
    pub(crate) network: String,
    pub(crate) input: [usize; 3],
    pub(crate) classes: Vec<String>,
    pub(crate) images: Option<[usize; 2]>,
    pub(crate) preparation: Preparation,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Preparation {
    fit: serde_json::Value,
    pub(crate) mean: Vec<f32>,
    pub(crate) std: Vec<f32>,
}

impl Card {
    pub(crate) fn of(weights: &Weights) -> Result<Self, String> {
        let text = weights.metadata().get(cnn_weights::CARD);
        let text = text.ok_or("it does not say which network it is of: `cargo xtask` writes files that do")?;
        let card: Self = serde_json::from_str(text).map_err(|problem| format!("what it says of itself: {problem}"))?;
        let Preparation { mean, std, .. } = &card.preparation;
        let usable = mean.iter().all(|x| x.is_finite()) && std.iter().all(|x| x.is_finite() && *x > 0.0);
        if !usable || mean.len() != card.input[0] || std.len() != card.input[0] {
            return Err(format!("its preparation is not one mean and one deviation for {} channels", card.input[0]));
        }
        Ok(card)
    }

    /// The size of a drawing before a frame is put around it.
    pub(crate) fn drawn(&self) -> [usize; 2] {
        let framed = self.preparation.fit.get("pad").is_some();
        self.images.filter(|_| framed).unwrap_or([self.input[1], self.input[2]])
    }
}
