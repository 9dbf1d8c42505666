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
        let rows = predictions.probabilities().zip(predictions.labels());
        let among = rows.filter(|(row, label)| {
            let own = row.get(**label as usize).copied().unwrap_or(f32::NAN);
            // The first of equals comes before the others.
            let before = |(class, p): (usize, &f32)| *p > own || *p == own && class < **label as usize;
            !own.is_nan() && row.iter().enumerate().filter(|(class, p)| before((*class, p))).count() < self.0
        });
        among.count() as f64 / predictions.len() as f64
    }
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
}
