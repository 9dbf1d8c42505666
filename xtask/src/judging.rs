//! A run's best weights, judged once more when it is over.

use crate::data::RunData;
use anyhow::{Context, Result, bail, ensure};
use cnn_core::device::Device;
use cnn_data::{Card, Dataset, Images, Loader, match_classes};
use cnn_report::Run;
use cnn_train::{
    BalancedAccuracy, MacroF1, Metric, Predictions, RunFolder, TestTime, Top, Weights, classifier, predict,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The weights that are judged.
pub const WEIGHTS: &str = RunFolder::BEST;

/// What the best weights say.
pub struct Verdicts {
    /// The classes they know, which the labels count.
    pub classes: Vec<String>,
    /// Of the images by which they were chosen.
    pub test: Verdict,
    /// Of those that were held out.
    pub held_out: Option<Verdict>,
    /// What is to be said of the data set's classes beside those of the weights.
    pub notes: Vec<String>,
}

/// What the best weights say of some images.
pub struct Verdict {
    pub images: Images,
    pub predictions: Predictions,
}

/// Judges a run's best weights on the images of its data set that are not trained on; classes are matched by name.
pub fn judged(run: &Run, dataset: &Dataset, device: &Device) -> Result<Verdicts> {
    let weights = Weights::read(run.path.join(WEIGHTS))?;
    let entry = cnn_zoo::find(run.network())?;
    let Some(card) = Card::of(&weights)? else {
        bail!("{}: it does not say how its images are prepared", cnn_figures::path(&run.path.join(WEIGHTS)));
    };
    let architecture = entry.architecture(card.classes.len()).without_heads();
    let network = architecture.at(card.input)?;
    let test_time = RunData::of(&run.path)?.map_or(TestTime::Plain, |own| own.test_time);
    let model = test_time.judging(classifier(&network, &weights, device)?, network.input().dims()[2]);
    let mut notes = BTreeSet::new();
    let mut of = |images: &Images| -> Result<Verdict> {
        let channels = card.preparation.mean.len();
        let suited = images.in_channels(channels);
        let images =
            suited.with_context(|| format!("images of {} channels do not suit {channels}", images.channels()))?;
        let found = card.preparation.shape(images.shape())?;
        ensure!(found == card.input, "images become {found:?}, but the run's network reads {:?}", card.input);
        let matched = match_classes(&images, dataset.classes(), &card.classes)?;
        notes.extend(matched.notes.iter().map(ToString::to_string));
        let images = matched.images;
        let predictions = predict(&model, &Loader::new(&images, card.preparation.clone(), 100)?)?;
        Ok(Verdict { images, predictions })
    };
    let (test, held_out) = (of(dataset.test())?, dataset.held_out().map(&mut of).transpose()?);
    Ok(Verdicts { test, held_out, notes: notes.into_iter().collect(), classes: card.classes })
}

impl Verdicts {
    /// For the run's folder.
    pub fn as_json(&self, run: &Run) -> Value {
        json!({
            "weights": WEIGHTS,
            "epoch": run.best().map(|epoch| epoch.epoch),
            "test": figures(&self.test.predictions),
            "held_out": self.held_out.as_ref().map(|verdict| figures(&verdict.predictions)),
        })
    }
}

/// The figures that say how good a network is, from 0 to 1 but for the loss.
pub fn figures(predictions: &Predictions) -> Value {
    json!({
        "images": predictions.len(),
        "accuracy": predictions.top(1),
        "top5": Top(5).value(predictions),
        "loss": predictions.losses().iter().sum::<f64>() / predictions.len().max(1) as f64,
        "macro_f1": MacroF1.value(predictions),
        "balanced_accuracy": BalancedAccuracy.value(predictions),
    })
}
