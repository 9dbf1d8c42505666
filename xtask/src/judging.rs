//! A run's best weights, judged once more when it is over.

use crate::data::RunData;
use anyhow::{Result, bail};
use cnn_core::device::Device;
use cnn_data::{Card, Dataset, Images, Loader};
use cnn_report::Run;
use cnn_train::{
    BalancedAccuracy, MacroF1, Metric, Predictions, RunFolder, TestTime, Top, Weights, classifier, predict,
};
use serde_json::{Value, json};

/// The weights that are judged.
pub const WEIGHTS: &str = RunFolder::BEST;

/// What the best weights say.
pub struct Verdicts {
    /// Of the images by which they were chosen.
    pub test: Predictions,
    /// Of those that were held out.
    pub held_out: Option<Predictions>,
}

/// Judges a run's best weights on the images of its data set that are not trained on.
pub fn judged(run: &Run, dataset: &Dataset, device: &Device) -> Result<Verdicts> {
    let weights = Weights::read(run.path.join(WEIGHTS))?;
    let entry = cnn_zoo::find(run.network())?;
    let Some(card) = Card::of(&weights)? else {
        bail!("{}: it does not say how its images are prepared", cnn_figures::path(&run.path.join(WEIGHTS)));
    };
    let architecture = entry.architecture(card.classes.len()).without_heads();
    let network = architecture.at(card.preparation.shape(dataset.test().shape())?)?;
    let test_time = RunData::of(&run.path)?.map_or(TestTime::Plain, |own| own.test_time);
    let model = test_time.judging(classifier(&network, &weights, device)?, network.input().dims()[2]);
    let of = |images: &Images| -> Result<Predictions> {
        Ok(predict(&model, &Loader::new(images, card.preparation.clone(), 100)?)?)
    };
    Ok(Verdicts { test: of(dataset.test())?, held_out: dataset.held_out().map(of).transpose()? })
}

impl Verdicts {
    /// For the run's folder.
    pub fn as_json(&self, run: &Run) -> Value {
        json!({
            "weights": WEIGHTS,
            "epoch": run.best().map(|epoch| epoch.epoch),
            "test": figures(&self.test),
            "held_out": self.held_out.as_ref().map(figures),
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
