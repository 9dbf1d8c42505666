//! Figures beside loss and accuracy.

use crate::predictions::Predictions;
use std::fmt;

/// A figure computed from what the network says of the test images, after every epoch. It stands under its name in
/// [`Epoch::metrics`](crate::Epoch::metrics), and so in `metrics.jsonl`.
///
/// ```
/// use cnn_train::{Metric, Predictions};
///
/// /// The mean probability of the right class.
/// #[derive(Debug)]
/// struct Confidence;
///
/// impl Metric for Confidence {
///     fn name(&self) -> String {
///         "confidence".to_string()
///     }
///
///     fn value(&self, predictions: &Predictions) -> f64 {
///         let rows = predictions.probabilities().zip(predictions.labels());
///         rows.map(|(row, label)| f64::from(row[*label as usize])).sum::<f64>() / predictions.len() as f64
///     }
/// }
/// # let _: &dyn Metric = &Confidence;
/// ```
pub trait Metric: fmt::Debug + Send + Sync {
    /// Its name, for example `top-5`.
    fn name(&self) -> String;

    /// Its value; one that is not a finite number is left out of the figures.
    fn value(&self, predictions: &Predictions) -> f64;
}

/// The share of images whose label is among the so many most probable classes, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Top(pub usize);

impl Metric for Top {
    fn name(&self) -> String {
        format!("top-{}", self.0)
    }

    fn value(&self, predictions: &Predictions) -> f64 {
        predictions.top(self.0)
    }
}

/// The mean over the classes of F1, the harmonic mean of precision and recall, from 0 to 1; of the classes that an image
/// has or that an answer names. A rare class counts as much as a frequent one (Yang and Liu 1999, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacroF1;

impl Metric for MacroF1 {
    fn name(&self) -> String {
        "macro-f1".to_string()
    }

    fn value(&self, predictions: &Predictions) -> f64 {
        let tallies = Tally::of(predictions);
        let named = tallies.iter().filter(|tally| tally.images + tally.answers > 0);
        mean(named.map(|tally| 2.0 * tally.right as f64 / (tally.images + tally.answers) as f64))
    }
}

/// The mean over the classes of recall, from 0 to 1; of the classes that an image has (Brodersen et al. 2010).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalancedAccuracy;

impl Metric for BalancedAccuracy {
    fn name(&self) -> String {
        "balanced-accuracy".to_string()
    }

    fn value(&self, predictions: &Predictions) -> f64 {
        let tallies = Tally::of(predictions);
        let present = tallies.iter().filter(|tally| tally.images > 0);
        mean(present.map(|tally| tally.right as f64 / tally.images as f64))
    }
}

/// What is counted of a class.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    images: usize,
    answers: usize,
    right: usize,
}

impl Tally {
    fn of(predictions: &Predictions) -> Vec<Self> {
        let mut tallies = vec![Self::default(); predictions.classes()];
        for ((answer, _), label) in predictions.predicted().zip(predictions.labels()) {
            let (answer, label) = (answer as usize, *label as usize);
            tallies[answer].answers += 1;
            if let Some(tally) = tallies.get_mut(label) {
                tally.images += 1;
                tally.right += usize::from(answer == label);
            }
        }
        tallies
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_comes_first() {
        let mut predictions = Predictions::default();
        for (label, logits) in [(0, [3.0, 2.0, 1.0]), (1, [2.0, 2.0, 1.0]), (2, [3.0, 2.0, 1.0])] {
            predictions.push(&logits, label);
        }
        let shares = [1, 2, 3].map(|count| Top(count).value(&predictions));
        assert_eq!(shares, [1.0 / 3.0, 2.0 / 3.0, 1.0]);
        assert_eq!(Top(5).name(), "top-5");
    }

    /// `sklearn.metrics.f1_score(y, p, average="macro")` and `balanced_accuracy_score(y, p)` with y = [0, 0, 0, 0, 1, 1, 2]
    /// and p = [0, 0, 1, 2, 1, 0, 1]: by hand 2·2/(4+3), 2·1/(2+3), 0 and 2/4, 1/2, 0.
    #[test]
    fn rare_classes_count_as_frequent_ones() {
        let mut predictions = Predictions::default();
        for (label, answer) in [(0, 0), (0, 0), (0, 1), (0, 2), (1, 1), (1, 0), (2, 1)] {
            // A fourth class is neither there nor named.
            let mut logits = [0.0; 4];
            logits[answer] = 1.0;
            predictions.push(&logits, label);
        }
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-12;
        assert!(close(MacroF1.value(&predictions), (4.0 / 7.0 + 2.0 / 5.0) / 3.0));
        assert!(close(BalancedAccuracy.value(&predictions), 1.0 / 3.0));
        assert!(MacroF1.value(&Predictions::default()).is_nan());
    }
}
