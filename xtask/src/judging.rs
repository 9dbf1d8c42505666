//! A run's best weights, judged once more when it is over.

use crate::data::RunData;
use crate::progress::predicted;
use anyhow::{Context, Result, bail, ensure};
use cnn_catalogue::imagenet;
use cnn_core::device::Device;
use cnn_core::shape::times;
use cnn_data::{Card, ClassNote, Dataset, Images, Loader, Matched, match_classes};
use cnn_report::Run;
use cnn_train::{BalancedAccuracy, MacroF1, Metric, Predictions, RunFolder, TestTime, Top, Weights, classifier};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The weights that are judged.
pub const WEIGHTS: &str = RunFolder::BEST;

/// What each epoch is judged by beside accuracy and loss; among few classes the right one is always one of the first five.
pub fn metrics(classes: usize) -> Vec<&'static dyn Metric> {
    let all: [&'static dyn Metric; 3] = [&MacroF1, &BalancedAccuracy, &Top(5)];
    all[..if has_top5(classes) { 3 } else { 2 }].to_vec()
}

/// Whether the top five of so many classes say anything.
fn has_top5(classes: usize) -> bool {
    classes > 5
}

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

/// Images as weights with this card take them: stretched to the size of those that were trained on where the preparation
/// fits none, in its channels, with its classes' labels by their names. `of` says which images they are.
pub fn suited(of: &str, images: &Images, classes: &[String], card: &Card) -> Result<Matched> {
    let channels = card.preparation.mean.len();
    let stretched = card.stretched(images);
    let images = stretched.as_ref().unwrap_or(images);
    let suited = images.in_channels(channels);
    let images = suited.with_context(|| format!("images of {} channels do not suit {channels}", images.channels()))?;
    let known: Vec<String> = match of_synsets(classes, &card.classes) {
        true => imagenet::synsets().map(str::to_string).collect(),
        false => card.classes.clone(),
    };
    let matched = match_classes(&images, classes, &known)?;
    let found = card.preparation.shape(matched.images.shape())?;
    ensure!(
        found == card.input,
        "{of}: images become {}, but {} reads {} with these weights",
        times(&found),
        card.network,
        times(&card.input)
    );
    Ok(matched)
}

/// Whether folders are named by ImageNet's synsets (`n01440764`) and the weights know ImageNet's classes.
fn of_synsets(found: &[String], known: &[String]) -> bool {
    known.iter().map(String::as_str).eq(imagenet::names()) && found.iter().all(|name| imagenet::name_of(name).is_some())
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
    let mut of = |images: &Images| -> Result<(Verdict, Vec<ClassNote>)> {
        let matched = suited(dataset.name(), images, dataset.classes(), &card)?;
        if card.stretched(images).is_some() {
            let [_, height, width] = matched.images.shape();
            notes.insert(format!("images of another size are stretched to {height}×{width} first, as predict does"));
        }
        let images = matched.images;
        let predictions = predicted(&model, &Loader::new(&images, card.preparation.clone(), 100)?)?;
        Ok((Verdict { images, predictions }, matched.notes))
    };
    let (test, of_test) = of(dataset.test())?;
    let (held_out, of_others) = dataset.held_out().map(of).transpose()?.unzip();
    notes.extend(of_test.iter().map(ToString::to_string));
    notes.extend(of_held_out(&of_others.unwrap_or_default(), &of_test));
    Ok(Verdicts { test, held_out, notes: notes.into_iter().collect(), classes: card.classes })
}

/// What is to be said of the classes of images held out that is not said of those that are judged.
pub fn of_held_out(held_out: &[ClassNote], judged: &[ClassNote]) -> Vec<String> {
    let others = held_out.iter().filter(|note| !judged.contains(note));
    others.map(|note| format!("of the images held out: {note}")).collect()
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
        "top5": has_top5(predictions.classes()).then(|| Top(5).value(predictions)),
        "loss": predictions.loss(),
        "macro_f1": MacroF1.value(predictions),
        "balanced_accuracy": BalancedAccuracy.value(predictions),
    })
}
