//! Evaluation: loss and accuracy over a set of images.

use crate::classify::{Classify, scores};
use crate::cross_entropy::SoftmaxCrossEntropy;
use crate::error::{Error, Result};
use crate::loss::{LossFunction, Output};
use crate::predictions::Predictions;
use cnn_core::Network;
use cnn_data::{Batch, Loader};
use cnn_distributed::Ranks;
use cnn_plan::Targets;
use std::convert::Infallible;
use std::ops::ControlFlow;

/// How a model does on a set of images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
    /// Mean loss.
    pub loss: f64,
    /// Share of images whose largest score is their label's, from 0 to 1.
    pub accuracy: f64,
}

/// The scores of a model, whatever it gives.
struct Scores<'a>(&'a dyn Classify);

impl Classify for Scores<'_> {
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        Ok(scores(self.0, self.0.logits(images)?))
    }
}

/// Evaluates on every image of `loader` once, by the cross-entropy.
///
/// # Errors
///
/// Those of the network and the loader; scores that are not as many for each image, a label that is no class of theirs.
pub fn evaluate(model: &dyn Classify, loader: &Loader<'_>) -> Result<Evaluated> {
    let mut judging = Judging { model: &Scores(model), loss: &SoftmaxCrossEntropy, predictions: None, ranks: None };
    let ControlFlow::Continue(evaluated) = judging.run(loader, &mut |_| ControlFlow::<Infallible>::Continue(()))?;
    Ok(evaluated)
}

/// Multiply-accumulates of a batch that is judged, at most: less than a second on a machine of today, so that whoever wants
/// to stop an evaluation waits no longer.
const AT_ONCE: u64 = 20_000_000_000;

/// How many images are judged together, where as many as `most` would be trained on.
pub(crate) fn judged_together(network: &Network, most: usize) -> usize {
    let of_an_image = u64::try_from(network.summary().macs).unwrap_or(u64::MAX).max(1);
    usize::try_from(AT_ONCE / of_an_image).unwrap_or(most).clamp(1, most.max(1))
}

/// An evaluation under way.
pub(crate) struct Judging<'a> {
    pub(crate) model: &'a dyn Classify,
    pub(crate) loss: &'a dyn LossFunction,
    /// Where the predictions go, if they are wanted.
    pub(crate) predictions: Option<&'a mut Predictions>,
    /// Who else evaluates: each rank does its part of the batches, and all get the whole.
    pub(crate) ranks: Option<&'a Ranks>,
}

impl Judging<'_> {
    /// Evaluates on every image once. After each batch `goes_on` is told how many images are done, and may stop it.
    pub(crate) fn run<B>(
        &mut self,
        loader: &Loader<'_>,
        goes_on: &mut dyn FnMut(usize) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B, Evaluated>> {
        if loader.is_empty() {
            return Err(Error::NoImages { to: "judge" });
        }
        let (rank, world) = self.ranks.map_or((0, 1), |ranks| (ranks.rank(), ranks.world()));
        let part = |rank: usize| rank * loader.len() / world;
        let (mut judged, mut images) = (Vec::new(), 0);
        for batch in loader.in_order().skip_to(part(rank)) {
            let Batch { images: pixels, labels, number, .. } = batch?;
            if number >= part(rank + 1) {
                break;
            }
            let logits = self.model.logits(&pixels)?;
            let output = Output { values: &logits, weight: 1.0 };
            let loss = self.loss.loss(&[output], &Targets::new(&labels)).map_err(|problem| problem.behind(images))?;
            let loss = loss.value * labels.len() as f64;
            images += labels.len();
            let (correct, images_of) = (count_correct(&logits, &labels), labels.len());
            let scores = self.predictions.is_some().then(|| (scores(self.model, logits), labels));
            judged.push(JudgedBatch { loss, correct, images: images_of, scores });
            // Each rank does about as much.
            if let ControlFlow::Break(reason) = goes_on((images * world).min(loader.images())) {
                return Ok(ControlFlow::Break(reason));
            }
        }
        if let Some(ranks) = self.ranks.filter(|_| world > 1) {
            judged = together(ranks, &judged)?;
        }
        let (mut loss, mut correct, mut images) = (0.0, 0, 0);
        for batch in judged {
            // In the order of the batches, whoever judged them.
            loss += batch.loss;
            correct += batch.correct;
            images += batch.images;
            if let (Some(predictions), Some((logits, labels))) = (&mut self.predictions, &batch.scores) {
                predictions.add(logits, labels);
            }
        }
        let evaluated = Evaluated { loss: loss / images as f64, accuracy: correct as f64 / images as f64 };
        Ok(ControlFlow::Continue(evaluated))
    }
}

/// What came of a batch.
struct JudgedBatch {
    /// The sum over its images.
    loss: f64,
    correct: usize,
    images: usize,
    /// Scores and labels, where they are wanted.
    scores: Option<(Vec<f32>, Vec<u32>)>,
}

/// A [`JudgedBatch`] on its way: the bits of its loss, right ones, images, and the bits of scores with labels.
type Sent = (u64, usize, usize, Option<(Vec<u32>, Vec<u32>)>);

/// The batches of all ranks, in their order.
fn together(ranks: &Ranks, own: &[JudgedBatch]) -> Result<Vec<JudgedBatch>> {
    // Losses and scores may be infinite or NaN, which JSON does not know: their bits travel.
    let bits = |batch: &JudgedBatch| {
        let scores = batch
            .scores
            .as_ref()
            .map(|(logits, labels)| (logits.iter().map(|x| x.to_bits()).collect::<Vec<u32>>(), labels.clone()));
        (batch.loss.to_bits(), batch.correct, batch.images, scores)
    };
    let bytes = serde_json::to_vec(&own.iter().map(bits).collect::<Vec<_>>()).map_err(Error::own)?;
    let mut all = Vec::new();
    for bytes in ranks.gather(bytes)? {
        let batches: Vec<Sent> = serde_json::from_slice(&bytes).map_err(Error::own)?;
        all.extend(batches.into_iter().map(|(loss, correct, images, scores)| {
            let scores = scores.map(|(bits, labels)| (bits.into_iter().map(f32::from_bits).collect(), labels));
            JudgedBatch { loss: f64::from_bits(loss), correct, images, scores }
        }));
    }
    Ok(all)
}

/// How many rows of scores are largest at their label; the first of equals counts, and NaN never does.
pub(crate) fn count_correct(logits: &[f32], labels: &[u32]) -> usize {
    let rows = logits.chunks_exact((logits.len() / labels.len().max(1)).max(1));
    let largest = |row: &[f32]| (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
    let right = |row: &[f32], label: usize| largest(row) == label && !row[label].is_nan();
    rows.zip(labels).filter(|(row, label)| right(row, **label as usize)).count()
}
