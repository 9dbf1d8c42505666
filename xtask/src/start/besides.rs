//! What is in force in a run that not every run has.

use super::FEW;
use anyhow::Result;
use cnn_data::Dataset;
use cnn_figures::number;
use cnn_train::{ClassWeights, Clip, Settings, TestTime};

/// A text for each.
pub fn of(settings: &Settings, dataset: &Dataset) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let mut say = |text: Option<String>| all.extend(text);
    let augmentation = settings.augmentation.to_string();
    say((!augmentation.is_empty()).then(|| format!("images augmented by {augmentation}")));
    say(settings.class_weights.as_ref().map(|weights| class_weights(weights, dataset)).transpose()?);
    let with_images = if dataset.counts().contains(&0) { " that has images" } else { "" };
    say(settings.balance.then(|| format!("every class{with_images} shown as often as any other")));
    say((settings.label_smoothing > 0.0).then(|| format!("label smoothing {}", number(settings.label_smoothing))));
    say(settings.clip.map(|clip| match clip {
        Clip::Norm(norm) => format!("gradients clipped to a norm of {}", number(norm)),
        Clip::Value(value) => format!("gradients clipped at {}", number(value)),
        other => format!("gradients clipped: {other:?}"),
    }));
    say((!settings.freeze.is_empty()).then(|| format!("frozen: {}", settings.freeze.join(", "))));
    let groups = settings.groups.iter().map(|group| {
        let (name, [rate, decay]) = (&group.prefix, [group.learning_rate, group.weight_decay].map(number));
        format!("{name} with {rate} times the learning rate, {decay} times the decay")
    });
    groups.for_each(|group| say(Some(group)));
    say(settings
        .average
        .map(|stays| format!("an average of the weights is kept, of which {} stays at each step", number(stays))));
    say(settings.lookahead.map(|slow| format!("slow weights are kept, met every {} steps", slow.every)));
    say(settings.whitening.is_some().then(|| "the first convolution begins by whitening".to_string()));
    say((settings.test_time == TestTime::Flip).then(|| "judged by each image and its mirror image".to_string()));
    say(settings.patience.map(|epochs| format!("ended after {epochs} epochs without a new best")));
    Ok(all)
}

fn class_weights(weights: &ClassWeights, dataset: &Dataset) -> Result<String> {
    let (weights, names) = (weights.of(dataset)?, dataset.classes());
    if names.len() <= FEW {
        let each: Vec<String> = names.iter().zip(weights).map(|(name, weight)| format!("{name} {weight:.2}")).collect();
        return Ok(format!("class weights {}", each.join(", ")));
    }
    let (least, most) = (weights.iter().copied().fold(f64::MAX, f64::min), weights.iter().copied().fold(0.0, f64::max));
    Ok(format!("class weights from {least:.2} to {most:.2}"))
}
