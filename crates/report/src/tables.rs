//! A report's figures as comma-separated values, for other programs.

use crate::error::{Error, Result};
use crate::judgement::Judgement;
use cnn_data::Images;
use cnn_train::Epoch;
use std::collections::BTreeSet;
use std::path::absolute;

/// Rows of text; what has commas, quotes or line breaks in it is quoted.
fn written(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| Error::file("a table", "cannot write")(error.into()))?;
    }
    writer.into_inner().map_err(|error| Error::file("a table", "cannot write")(error.into_error()))
}

fn texts<const N: usize>(row: [&str; N]) -> Vec<String> {
    row.map(str::to_string).to_vec()
}

/// What a class is called.
fn name(names: &[String], class: u32) -> String {
    names.get(class as usize).cloned().unwrap_or_default()
}

/// A line for each epoch.
pub(crate) fn epochs(epochs: &[Epoch]) -> Result<Vec<u8>> {
    let metrics: BTreeSet<&String> = epochs.iter().flat_map(|epoch| epoch.metrics.keys()).collect();
    let mut header = texts([
        "epoch",
        "train_loss",
        "train_accuracy",
        "test_loss",
        "test_accuracy",
        "learning_rate",
        "images_per_second",
        "seconds",
    ]);
    header.extend(metrics.iter().map(|name| name.to_string()));
    let rows = epochs.iter().map(|epoch| {
        let numbers = [
            epoch.train_loss,
            epoch.train_accuracy,
            epoch.test_loss,
            epoch.test_accuracy,
            epoch.learning_rate,
            epoch.images_per_second,
            epoch.seconds,
        ];
        let metrics = metrics.iter().map(|name| epoch.metrics.get(*name).map(f64::to_string).unwrap_or_default());
        let numbers = numbers.iter().map(f64::to_string);
        std::iter::once(epoch.epoch.to_string()).chain(numbers).chain(metrics).collect()
    });
    written(std::iter::once(header).chain(rows))
}

/// A line for each class: precision, recall and F1 are empty where they are not defined.
pub(crate) fn classes(judgement: &Judgement, names: &[String]) -> Result<Vec<u8>> {
    let share = |share: Option<f64>| share.map(|share| share.to_string()).unwrap_or_default();
    let rows = judgement.classes().into_iter().zip(names).map(|(figures, name)| {
        let (images, name) = (figures.images.to_string(), name.clone());
        vec![name, images, share(figures.precision), share(figures.recall), share(figures.f1)]
    });
    written(std::iter::once(texts(["class", "images", "precision", "recall", "f1"])).chain(rows))
}

/// A line for each pair of a true class and another that it was taken for, the most frequent first.
pub(crate) fn confusion(judgement: &Judgement, names: &[String]) -> Result<Vec<u8>> {
    let pairs = judgement.pairs().into_iter();
    let rows = pairs.map(|pair| vec![name(names, pair.label), name(names, pair.predicted), pair.images.to_string()]);
    written(std::iter::once(texts(["class", "taken_for", "images"])).chain(rows))
}

/// A line for each image that was taken for another class, the worst first.
pub(crate) fn mistakes(judgement: &Judgement, images: &Images, names: &[String]) -> Result<Vec<u8>> {
    let rows = judgement.mistakes.iter().map(|mistake| {
        let file = images.file(mistake.image).map(|file| absolute(&file).unwrap_or(file));
        let file = file.map(|file| file.display().to_string()).unwrap_or_default();
        vec![
            mistake.image.to_string(),
            file,
            name(names, mistake.label),
            name(names, mistake.predicted),
            mistake.probability.to_string(),
            mistake.loss.to_string(),
        ]
    });
    written(std::iter::once(texts(["image", "file", "class", "taken_for", "probability", "loss"])).chain(rows))
}
