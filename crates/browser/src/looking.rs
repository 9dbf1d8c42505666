//! A network that looks at bytes.

use crate::card::{Card, Preparation};
use cnn_explain::{About, Live, Opened};
use cnn_plan::InferenceOptions;
use cnn_weights::Weights;

/// A network with its weights and what they say of themselves.
#[derive(Debug)]
pub struct Looking {
    live: Live,
    preparation: Preparation,
}

impl Looking {
    /// The network that a safetensors file is of.
    ///
    /// # Errors
    ///
    /// A sentence: a file that is none, or that does not say which network it is of; a network that the zoo does not have,
    /// weights that are not its.
    pub fn new(file: &[u8], options: InferenceOptions<'_>) -> Result<Self, String> {
        let text = |problem: &dyn std::fmt::Display| problem.to_string();
        let weights = Weights::from_bytes(file.to_vec(), "the file").map_err(|problem| text(&problem))?;
        let card = Card::of(&weights)?;
        let entry = cnn_zoo::find(&card.network).map_err(|problem| text(&problem))?;
        let architecture = entry.architecture(card.classes.len().max(1)).without_heads();
        let network = architecture.at(card.input).map_err(|problem| text(&problem))?;
        let title = card.network.clone();
        let about = About { title, drawn: card.drawn(), classes: card.classes, notes: Vec::new() };
        let live = Live::new(&network, &weights, about, options).map_err(|problem| text(&problem))?;
        Ok(Self { live, preparation: card.preparation })
    }

    /// What a page needs to know of it.
    pub fn opened(&self) -> &Opened {
        self.live.opened()
    }

    /// The numbers of a picture's bytes, `(C, H, W)`, that the network reads.
    pub fn prepared(&self, pixels: &[u8]) -> Vec<f32> {
        let plane = (pixels.len() / self.preparation.mean.len().max(1)).max(1);
        let planes = pixels.chunks(plane).zip(self.preparation.mean.iter().zip(&self.preparation.std));
        planes
            .flat_map(|(plane, (mean, std))| plane.iter().map(move |pixel| (f32::from(*pixel) / 255.0 - mean) / std))
            .collect()
    }

    /// What it makes of a picture's bytes, `(C, H, W)`.
    ///
    /// # Errors
    ///
    /// Bytes that are not one picture; scores that are not finite.
    pub fn look(&mut self, pixels: &[u8], exact: bool) -> Result<Vec<u8>, String> {
        self.live.look(&self.prepared(pixels), exact).map_err(|problem| problem.to_string())
    }
}
