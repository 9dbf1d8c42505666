//! What a model says of every image of a set.

use crate::classify::{Classify, scores};
use crate::error::{Error, Result};
use crate::loss::classes;
use cnn_data::Loader;
use cnn_plan::Targets;
use std::ops::ControlFlow;

/// Probabilities and labels of the images of a set, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    classes: usize,
    labels: Vec<u32>,
    /// `len · classes`.
    probabilities: Vec<f32>,
    losses: Vec<f64>,
}

/// The model's predictions for every image of `loader`, each once, in order.
///
/// # Errors
///
/// Those of the network and the loader; scores that are not as many for each image, or not all finite; a label that is no
/// class of theirs.
pub fn predict(model: &dyn Classify, loader: &Loader<'_>) -> Result<Predictions> {
    Ok(predict_while(model, loader, &mut |_| ControlFlow::Continue(()))?.unwrap_or_default())
}

/// [`predict`], which says after each batch how many images it has seen; `None` where it is told to stop then.
///
/// # Errors
///
/// Those of [`predict`].
pub fn predict_while(
    model: &dyn Classify,
    loader: &Loader<'_>,
    goes_on: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Predictions>> {
    if loader.is_empty() {
        return Err(Error::NoImages { to: "judge" });
    }
    let mut predictions = Predictions::default();
    for batch in loader.in_order() {
        let batch = batch?;
        let given = model.logits(&batch.images)?;
        let of_set = |problem: Error| problem.behind(predictions.len());
        let classes = classes(given.len(), &Targets::new(&batch.labels)).map_err(of_set)?;
        if let Some(at) = given.iter().position(|score| !score.is_finite()) {
            return Err(Error::Scores { image: predictions.len() + at / classes, score: given[at] });
        }
        predictions.add(&scores(model, given), &batch.labels);
        if goes_on(predictions.len()).is_break() {
            return Ok(None);
        }
    }
    Ok(Some(predictions))
}

impl Predictions {
    /// Adds a batch's scores, `(N, classes)`.
    pub(crate) fn add(&mut self, logits: &[f32], labels: &[u32]) {
        let classes = logits.len() / labels.len().max(1);
        for (row, label) in logits.chunks_exact(classes.max(1)).zip(labels) {
            self.push(row, *label);
        }
    }

    pub(crate) fn push(&mut self, logits: &[f32], label: u32) {
        let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let logits = logits.iter().map(|logit| f64::from(*logit));
        let log_sum = largest + logits.clone().map(|logit| (logit - largest).exp()).sum::<f64>().ln();
        self.classes = logits.len();
        self.labels.push(label);
        self.probabilities.extend(logits.clone().map(|logit| (logit - log_sum).exp() as f32));
        self.losses.push(log_sum - logits.clone().nth(label as usize).unwrap_or(f64::NEG_INFINITY));
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of classes the model knows.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The true class of each image.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The cross-entropy of each image.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// The mean cross-entropy; 0 of no image.
    pub fn loss(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.len().max(1) as f64
    }

    /// The probabilities of each image's classes, an image after the other.
    pub fn probabilities(&self) -> impl Iterator<Item = &[f32]> {
        self.probabilities.chunks_exact(self.classes.max(1))
    }

    /// Share of the images whose label is among their `k` most probable classes, from 0 to 1; of equal ones the first. What
    /// is no number is not among them.
    pub fn top(&self, k: usize) -> f64 {
        let among = |(row, label): &(&[f32], &u32)| {
            let place = **label as usize;
            let Some(own) = row.get(place).filter(|own| !own.is_nan()) else { return false };
            let before = |(class, p): &(usize, &f32)| *p > own || (*p == own && *class < place);
            row.iter().enumerate().filter(before).count() < k
        };
        self.probabilities().zip(&self.labels).filter(among).count() as f64 / self.len().max(1) as f64
    }

    /// The most probable class of each image and its probability; the first of equals.
    pub fn predicted(&self) -> impl Iterator<Item = (u32, f32)> {
        self.probabilities().map(|row| {
            let first = (0, f32::NEG_INFINITY);
            row.iter().zip(0..).fold(first, |best, (p, class)| if *p > best.1 { (class, *p) } else { best })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::evaluate;
    use cnn_data::{Images, Preparation};

    /// The first three pixels are the logits.
    struct Pixels;

    impl Classify for Pixels {
        fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
            Ok(images.to_vec())
        }
    }

    /// One score of one image is as given.
    struct Odd(usize, f32);

    impl Classify for Odd {
        fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
            let mut scores = images.to_vec();
            scores.get_mut(self.0).into_iter().for_each(|score| *score = self.1);
            Ok(scores)
        }
    }

    #[test]
    fn scores_that_are_no_numbers_are_never_right() {
        let images = Images::new([1, 1, 3], vec![7; 15], vec![0, 1, 2, 0, 1]).unwrap();
        let preparation = Preparation { fit: cnn_data::Fit::None, mean: vec![0.0], std: vec![1.0] };
        let loader = Loader::new(&images, preparation, 5).unwrap();
        for (at, score, image) in [(0, f32::NAN, 0), (5, f32::INFINITY, 1), (14, f32::NEG_INFINITY, 4)] {
            let error = predict(&Odd(at, score), &loader).unwrap_err().to_string();
            assert_eq!(error, format!("the scores of image {image}, counted from 0, are not all finite: {score}"));
        }
        let mut predictions = Predictions::default();
        predictions.add(&[f32::NAN; 6], &[0, 1]);
        assert_eq!([1, 2, 3].map(|k| predictions.top(k)), [0.0; 3]);
        assert_eq!(crate::evaluate::count_correct(&[f32::NAN; 6], &[0, 1]), 0);
        assert_eq!(crate::evaluate::count_correct(&[f32::NAN, 1.0, 0.0], &[0]), 0);
    }

    /// The images after the first.
    struct Fewer;

    impl Classify for Fewer {
        fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
            Ok(images[1..].to_vec())
        }
    }

    /// Probabilities, of which f32 has rounded some to 0 or 1.
    struct Sure;

    impl Classify for Sure {
        fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
            Ok([0.0, 1.0, 0.0].repeat(images.len() / 3))
        }

        fn gives_probabilities(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_label_that_is_no_class_is_refused_with_its_place() {
        let preparation = Preparation { fit: cnn_data::Fit::None, mean: vec![0.0], std: vec![1.0] };
        let images = Images::new([1, 1, 3], vec![7; 15], vec![0, 1, 2, 3, 1]).unwrap();
        let loader = Loader::new(&images, preparation.clone(), 2).unwrap();
        let found = [predict(&Pixels, &loader).err(), evaluate(&Pixels, &loader).err()];
        for error in found {
            let expected = "image 3, counted from 0, has the label 3, expected one below 3, the number of its scores";
            assert_eq!(error.unwrap().to_string(), expected);
        }
        let images = Images::new([1, 1, 3], vec![7; 15], vec![0, 1, 2, 0, 1]).unwrap();
        let loader = Loader::new(&images, preparation, 2).unwrap();
        for error in [predict(&Fewer, &loader).err(), evaluate(&Fewer, &loader).err()] {
            let expected = "5 scores of 2 images come with 2 labels, expected as many scores and one label for each";
            assert_eq!(error.unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_probability_of_nothing_has_a_finite_loss() {
        let images = Images::new([1, 1, 3], vec![7; 6], vec![1, 2]).unwrap();
        let preparation = Preparation { fit: cnn_data::Fit::None, mean: vec![0.0], std: vec![1.0] };
        let loader = Loader::new(&images, preparation, 2).unwrap();
        let (predictions, evaluated) = (predict(&Sure, &loader).unwrap(), evaluate(&Sure, &loader).unwrap());
        assert!(
            predictions.probabilities().flatten().zip([0.0, 1.0, 0.0].repeat(2)).all(|(a, b)| (a - b).abs() < 1e-30)
        );
        // −ln 2⁻¹⁴⁹.
        assert!(predictions.losses()[0] == 0.0 && (predictions.losses()[1] - 103.278_929).abs() < 1e-4);
        assert!((evaluated.loss - predictions.loss()).abs() < 1e-4 && evaluated.accuracy == 0.5);
    }

    #[test]
    fn whoever_watches_counts_images_and_can_stop() {
        let images = Images::new([1, 1, 3], vec![7; 15], vec![0, 1, 2, 0, 1]).unwrap();
        let loader = Loader::new(&images, Preparation { fit: cnn_data::Fit::None, mean: vec![0.0], std: vec![1.0] }, 2);
        let (loader, mut seen) = (loader.unwrap(), Vec::new());
        let stopped = predict_while(&Pixels, &loader, &mut |images| {
            seen.push(images);
            if images < 4 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert_eq!((stopped.unwrap(), seen), (None, vec![2, 4]));
    }

    #[test]
    fn predictions_agree_with_the_evaluation() {
        let pixels = (0..21).map(|i| (i * 89 % 251) as u8).collect();
        let images = Images::new([1, 1, 3], pixels, vec![0, 1, 2, 0, 1, 2, 0]).unwrap();
        let loader = Loader::new(&images, Preparation::of(&images).unwrap(), 3).unwrap();
        let (predictions, evaluated) = (predict(&Pixels, &loader).unwrap(), evaluate(&Pixels, &loader).unwrap());
        assert_eq!((predictions.len(), predictions.classes()), (7, 3));
        let loss = predictions.loss();
        assert!((loss - evaluated.loss).abs() < 1e-6, "{loss} {}", evaluated.loss);
        let right = predictions.predicted().zip(predictions.labels()).filter(|((found, _), label)| found == *label);
        assert_eq!(right.count() as f64 / 7.0, evaluated.accuracy);
        assert_eq!([predictions.top(1), predictions.top(3)], [evaluated.accuracy, 1.0]);
        assert!((predictions.top(1)..=1.0).contains(&predictions.top(2)));
        for (row, loss) in predictions.probabilities().zip(predictions.losses()) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && *loss > 0.0);
        }
    }
}
