//! A network of the page, and what it makes of a picture.

use crate::answer::Refusal;
use cnn_classifier::Trained;
use cnn_classifier::cnn_core::shape::times;
use cnn_classifier::cnn_data::{Fit, Picture, Reading};
use cnn_explain::{About, Live};
use cnn_figures::{count, plural};
use std::sync::{Mutex, PoisonError};

/// A network of the page. It is prepared when it is first looked at.
pub struct Shown {
    name: String,
    trained: Trained,
    live: Mutex<Option<Live>>,
}

impl Shown {
    /// Networks with names that tell them apart.
    pub fn all(trained: Vec<Trained>) -> Vec<Self> {
        let names: Vec<String> = trained.iter().map(|one| one.card.network.clone()).collect();
        let name = |one: &Trained| match names.iter().filter(|name| **name == one.card.network).count() {
            1 => one.card.network.clone(),
            _ => format!("{}, {}", one.card.network, one.weights.source()),
        };
        trained.into_iter().map(|one| Self { name: name(&one), trained: one, live: Mutex::new(None) }).collect()
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Something done with it, after it is prepared.
    pub fn with<T>(&self, work: impl FnOnce(&mut Live) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let live = match &mut *live {
            Some(live) => live,
            none => none.insert(self.prepare().map_err(|problem| Refusal::broken(&problem))?),
        };
        work(live)
    }

    fn prepare(&self) -> Result<Live, cnn_explain::Error> {
        let Trained { network, weights, card, .. } = &self.trained;
        let [_, height, width] = card.input;
        let framed = matches!(card.preparation.fit, Fit::Pad { .. });
        let drawn = card.images.filter(|_| framed).unwrap_or([height, width]);
        let (title, classes, notes) = (self.name.clone(), card.classes.clone(), self.trained.provenance());
        let about = About { title, classes, drawn, notes };
        Live::new(network, weights, about, Default::default())
    }

    /// What it makes of the bytes that it reads.
    pub fn pixels(&self, bytes: Vec<u8>, exact: bool) -> Result<Vec<u8>, Refusal> {
        let card = &self.trained.card;
        let expected = card.input.iter().product::<usize>();
        if bytes.len() != expected {
            let (found, size) = (plural(bytes.len(), "byte is", "bytes are"), times(&card.input));
            return Err(Refusal::unfit(format!("{found} not the {} of a picture of {size}", count(expected))));
        }
        let numbers =
            card.preparation.of_bytes(bytes, card.input).map_err(|problem| Refusal::unfit(problem.to_string()))?;
        self.with(|live| live.look(&numbers, exact).map_err(|problem| Refusal::broken(&problem)))
    }

    /// What it makes of a picture's file: before it the bytes that it reads.
    pub fn picture(&self, file: &[u8], reading: Reading, exact: bool) -> Result<Vec<u8>, Refusal> {
        let card = &self.trained.card;
        let picture = Picture::decode("the picture", file, card.reading(reading))
            .map_err(|problem| Refusal::unfit(problem.to_string()))?;
        let numbers = self.trained.prepare(&picture).map_err(|problem| Refusal::unfit(problem.to_string()))?;
        let mut bytes = card.preparation.bytes(&numbers, card.input);
        let frame = self.with(|live| live.look(&numbers, exact).map_err(|problem| Refusal::broken(&problem)))?;
        bytes.extend(frame);
        Ok(bytes)
    }
}
