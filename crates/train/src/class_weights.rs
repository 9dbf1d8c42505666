//! What an image counts in the loss by its class.

use crate::error::{Error, Result};
use crate::limits::LARGEST_FACTOR;
use crate::loss::{LossAndGradients, LossFunction, Output, classes};
use cnn_data::Dataset;
use cnn_figures::number;
use cnn_plan::Targets;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names of classes that a message tells.
const NAMES: usize = 8;

/// What an image of each class counts in the loss that is trained; what is judged is not weighted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClassWeights {
    /// As much less as the class has more images: `N / (K · n)` of N images in K classes, n of them of the class (King and
    /// Zeng 2001, section 4.2; scikit-learn calls it balanced); 0 for a class without an image.
    Auto,
    /// So much, at most [`Settings::LARGEST_FACTOR`](crate::Settings::LARGEST_FACTOR), by the names of the classes; each must be there. They are scaled, so
    /// that the mean over the images to train on is 1 and the learning rate means what it meant.
    Of(BTreeMap<String, f64>),
}

impl ClassWeights {
    /// The weight of each class of a data set, in the order of its classes.
    ///
    /// # Errors
    ///
    /// A class without a weight, a weight without a class, a weight that is not from 0 to [`Settings::LARGEST_FACTOR`](crate::Settings::LARGEST_FACTOR),
    /// only zeros.
    pub fn of(&self, dataset: &Dataset) -> Result<Vec<f64>> {
        let (counts, names) = (dataset.counts(), dataset.classes());
        let images = dataset.train().len() as f64;
        let classes = counts.iter().filter(|count| **count > 0).count() as f64;
        let wrong = |problem: String| Error::Setting { setting: "class weights:", problem };
        let weights: Vec<f64> = match self {
            Self::Auto => {
                // A class without an image has no say, nor has what label smoothing gives it.
                let weight = |count: &usize| if *count == 0 { 0.0 } else { images / (classes * *count as f64) };
                counts.iter().map(weight).collect()
            }
            Self::Of(of) => {
                if let Some(name) = of.keys().find(|name| !names.contains(name)) {
                    let known = || {
                        let known: Vec<String> = names.iter().take(NAMES).map(|class| format!("{class:?}")).collect();
                        format!(", which has {}{}", known.join(", "), if names.len() > NAMES { ", …" } else { "" })
                    };
                    let blank = |class: &&String| class.trim() == name;
                    let way_out = names.iter().find(blank).map_or_else(known, |class| {
                        format!(", but {class:?} is: its blanks count, as in --set 'class-weights = {{of = {{{class:?} = 1}}}}'")
                    });
                    return Err(wrong(format!("{name:?} is no class of {}{way_out}", dataset.name())));
                }
                let weight = |name: &String| match of.get(name) {
                    Some(weight) if (0.0..=LARGEST_FACTOR).contains(weight) => Ok(*weight),
                    Some(weight) => {
                        let [weight, most] = [*weight, LARGEST_FACTOR].map(number);
                        Err(wrong(format!("{name:?} has {weight}, expected a number from 0 to {most}")))
                    }
                    None => Err(wrong(format!("{name:?} has none, and each class of {} needs one", dataset.name()))),
                };
                names.iter().map(weight).collect::<Result<_>>()?
            }
        };
        let mean = weights.iter().zip(&counts).map(|(weight, count)| weight * *count as f64).sum::<f64>() / images;
        match mean.is_finite() && mean > 0.0 {
            true => Ok(weights.into_iter().map(|weight| weight / mean).collect()),
            false => Err(wrong("no image would count".to_string())),
        }
    }
}

/// Softmax cross-entropy in which each class has a weight `w`: the mean over the images of `−Σ w · t · ln p`. It is torch's
/// with `weight`, but for what the sum is divided by: the number of images here, the sum of their weights there, which
/// would count a batch of rare images no more than one of frequent ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WeightedCrossEntropy {
    pub(crate) weights: Vec<f64>,
}

impl LossFunction for WeightedCrossEntropy {
    fn loss(&self, outputs: &[Output<'_>], targets: &Targets<'_>) -> Result<LossAndGradients> {
        let images = targets.labels.len();
        let mut loss = LossAndGradients { value: 0.0, gradients: Vec::new() };
        for output in outputs {
            let classes = classes(output.values.len(), targets)?;
            if classes != self.weights.len() && images > 0 {
                let problem = format!("there are {} for {classes} classes, expected one for each", self.weights.len());
                return Err(Error::Setting { setting: "class weights:", problem });
            }
            let factor = output.weight / images.max(1) as f64;
            let mut gradient = vec![0.0; output.values.len()];
            let rows = output.values.chunks_exact(classes.max(1)).zip(gradient.chunks_exact_mut(classes.max(1)));
            for (image, (logits, gradient)) in rows.enumerate() {
                let wanted = self.weighted(targets, image);
                let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let shifted: Vec<f64> = logits.iter().map(|logit| f64::from(logit - largest)).collect();
                let log_sum = shifted.iter().map(|logit| logit.exp()).sum::<f64>().ln();
                let all: f64 = wanted.iter().sum();
                for ((gradient, logit), wanted) in gradient.iter_mut().zip(&shifted).zip(&wanted) {
                    loss.value += factor * wanted * (log_sum - logit);
                    *gradient = (factor * ((logit - log_sum).exp() * all - wanted)) as f32;
                }
            }
            loss.gradients.push(Some(gradient));
        }
        Ok(loss)
    }
}

impl WeightedCrossEntropy {
    /// The probability that each class should have, times its weight.
    fn weighted(&self, targets: &Targets<'_>, image: usize) -> Vec<f64> {
        let spread = targets.smoothing / self.weights.len() as f64;
        let mut wanted = vec![spread; self.weights.len()];
        let (own, share) = (targets.labels[image] as usize, targets.mixed.map_or(1.0, |(_, share)| share));
        wanted[own] += (1.0 - targets.smoothing) * share;
        if let Some((others, share)) = targets.mixed {
            wanted[others[image] as usize] += (1.0 - targets.smoothing) * (1.0 - share);
        }
        wanted.iter_mut().zip(&self.weights).for_each(|(wanted, weight)| *wanted *= weight);
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cross_entropy::SoftmaxCrossEntropy;
    use cnn_data::Images;

    const LOGITS: [f32; 6] = [1.0, 2.0, 0.5, 0.1, -1.0, 3.0];

    fn weighted(weights: [f64; 3], targets: &Targets<'_>) -> LossAndGradients {
        let output = Output { values: &LOGITS, weight: 1.0 };
        WeightedCrossEntropy { weights: weights.to_vec() }.loss(&[output], targets).unwrap()
    }

    /// `torch.nn.functional.cross_entropy(x, t, weight=w, label_smoothing=0.1, reduction="sum") / 2` in f64 and its gradient,
    /// with x as above, t = [1, 2], w = [0.5, 2, 1.25]; and with t of 0.7 at the label and 0.3 at [2, 0].
    #[test]
    fn weighted_cross_entropy_is_torchs() {
        let loss = weighted([0.5, 2.0, 1.25], &Targets { labels: &[1, 2], mixed: None, smoothing: 0.1 });
        assert!((loss.value - 0.688_272_174_887_537_3).abs() < 1e-7, "{}", loss.value);
        let expected = [
            0.214_219_668_127_985_12,
            -0.328_371_553_592_012,
            0.114_151_885_464_026_83,
            0.023_706_420_234_381_465,
            -0.022_668_225_841_828_7,
            -0.001_038_194_392_552_788_1,
        ];
        let found = loss.gradients[0].as_ref().unwrap();
        assert!(found.iter().zip(expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-7), "{found:?}");
        let mixed = Targets { labels: &[1, 2], mixed: Some((&[2, 0], 0.7)), smoothing: 0.0 };
        assert!((weighted([0.5, 2.0, 1.25], &mixed).value - 0.947_149_100_539_321_7).abs() < 1e-7);
    }

    #[test]
    fn equal_weights_change_nothing() {
        let targets = Targets { labels: &[1, 2], mixed: Some((&[2, 0], 0.7)), smoothing: 0.2 };
        let plain = SoftmaxCrossEntropy.loss(&[Output { values: &LOGITS, weight: 1.0 }], &targets).unwrap();
        let found = weighted([1.0; 3], &targets);
        assert!((plain.value - found.value).abs() < 1e-6, "{} {}", plain.value, found.value);
        let [Some(plain), Some(found)] = [&plain.gradients[0], &found.gradients[0]] else { panic!() };
        assert!(plain.iter().zip(found).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    fn dataset() -> Dataset {
        let train = Images::new([1, 1, 1], vec![0; 10], [vec![0; 8], vec![1; 2]].concat()).unwrap();
        let test = Images::new([1, 1, 1], vec![0], vec![0]).unwrap();
        Dataset::new("few", ["often", "rarely"].map(str::to_string).to_vec(), train, test).unwrap()
    }

    #[test]
    fn a_class_without_an_image_has_no_weight() {
        let train = Images::new([1, 1, 1], vec![0; 10], [vec![0; 8], vec![2; 2]].concat()).unwrap();
        let names = ["often", "never", "rarely"].map(str::to_string).to_vec();
        let dataset = Dataset::new("few", names, train.clone(), train).unwrap();
        assert_eq!(ClassWeights::Auto.of(&dataset).unwrap(), [0.625, 0.0, 2.5]);
    }

    #[test]
    fn weights_have_the_mean_one_over_the_images() {
        assert_eq!(ClassWeights::Auto.of(&dataset()).unwrap(), [0.625, 2.5]);
        let of = |weights: &[(&str, f64)]| {
            ClassWeights::Of(weights.iter().map(|(name, weight)| (name.to_string(), *weight)).collect()).of(&dataset())
        };
        assert_eq!(of(&[("often", 1.0), ("rarely", 6.0)]).unwrap(), [0.5, 3.0]);
        let wrong = |weights: &[(&str, f64)]| of(weights).unwrap_err().to_string();
        assert_eq!(wrong(&[("often", 1.0)]), "class weights: \"rarely\" has none, and each class of few needs one");
        assert_eq!(
            wrong(&[("never", 1.0)]),
            "class weights: \"never\" is no class of few, which has \"often\", \"rarely\""
        );
        let names = ["often ", "rarely"].map(str::to_string).to_vec();
        let blank = Dataset::new("few", names, dataset().train().clone(), dataset().test().clone()).unwrap();
        let weights = ClassWeights::Of([("often".to_string(), 1.0)].into());
        assert_eq!(
            weights.of(&blank).unwrap_err().to_string(),
            "class weights: \"often\" is no class of few, but \"often \" is: its blanks count, as in --set 'class-weights = \
             {of = {\"often \" = 1}}'"
        );
        for (weight, said) in [(-1.0, "-1"), (1e308, "1e308"), (f64::NAN, "NaN")] {
            let expected = format!("class weights: \"often\" has {said}, expected a number from 0 to 1000000");
            assert_eq!(wrong(&[("often", weight), ("rarely", 1.0)]), expected);
        }
        assert_eq!(wrong(&[("often", 0.0), ("rarely", 0.0)]), "class weights: no image would count");
    }
}
