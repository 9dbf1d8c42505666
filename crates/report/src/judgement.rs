//! What predictions say about a model: which classes it finds, which it takes for which, how sure it is.

use cnn_train::Predictions;

/// Intervals of probability in a calibration.
const BINS: usize = 10;

/// Counts over a set of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// `confusion[true class][predicted class]`: number of images.
    pub confusion: Vec<Vec<usize>>,
    /// How sure the model was and how often right, over ten intervals of its own probability.
    pub calibration: Vec<Bin>,
    /// The images that were taken for another class, the highest loss first.
    pub mistakes: Vec<Mistake>,
}

/// How well a class is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassFigures {
    /// Images of the class.
    pub images: usize,
    /// Share of the images predicted as the class that are of it; `None` where there is none.
    pub precision: Option<f64>,
    /// Share of the class's images that are predicted as it; `None` where there is none.
    pub recall: Option<f64>,
    /// The harmonic mean of precision and recall, 0 where none is right; `None` where the class has no image and none is
    /// predicted as it. Their mean is [`cnn_train::MacroF1`].
    pub f1: Option<f64>,
}

/// The images whose predicted class has a probability within an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Number of images.
    pub images: usize,
    /// Mean probability of the predicted class.
    pub confidence: f64,
    /// Share that is right.
    pub accuracy: f64,
}

/// An image taken for another class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mistake {
    /// Which image of the set.
    pub image: usize,
    /// Its class.
    pub label: u32,
    /// The class it was taken for.
    pub predicted: u32,
    /// The probability given to that class.
    pub probability: f32,
    /// The cross-entropy.
    pub loss: f64,
}

/// A class taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confused {
    /// The class.
    pub label: u32,
    /// The other.
    pub predicted: u32,
    /// How often.
    pub images: usize,
}

impl Judgement {
    /// Counts these predictions. A label without a class counts as a mistake alone.
    pub fn of(predictions: &Predictions) -> Self {
        let classes = predictions.classes();
        let mut confusion = vec![vec![0; classes]; classes];
        let mut calibration = vec![Bin::default(); BINS];
        let mut mistakes = Vec::new();
        let known = predictions.labels().iter().zip(predictions.losses());
        for (image, ((predicted, probability), (label, loss))) in predictions.predicted().zip(known).enumerate() {
            if let Some(row) = confusion.get_mut(*label as usize) {
                row[predicted as usize] += 1;
            }
            let bin = &mut calibration[((f64::from(probability) * BINS as f64) as usize).min(BINS - 1)];
            bin.images += 1;
            bin.confidence += f64::from(probability);
            bin.accuracy += f64::from(u8::from(predicted == *label));
            if predicted != *label {
                mistakes.push(Mistake { image, label: *label, predicted, probability, loss: *loss });
            }
        }
        for bin in calibration.iter_mut().filter(|bin| bin.images > 0) {
            bin.confidence /= bin.images as f64;
            bin.accuracy /= bin.images as f64;
        }
        mistakes.sort_by(|a, b| b.loss.total_cmp(&a.loss).then(a.image.cmp(&b.image)));
        Self { confusion, calibration, mistakes }
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.calibration.iter().map(|bin| bin.images).sum()
    }

    /// Share of the images that is right, from 0 to 1.
    pub fn accuracy(&self) -> f64 {
        1.0 - self.mistakes.len() as f64 / self.images().max(1) as f64
    }

    /// The figures of each class.
    pub fn classes(&self) -> Vec<ClassFigures> {
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let class = |class: usize| {
            let right = self.confusion[class][class];
            let images = self.confusion[class].iter().sum();
            let predicted = self.confusion.iter().map(|row| row[class]).sum();
            let f1 = share(2 * right, images + predicted);
            ClassFigures { images, precision: share(right, predicted), recall: share(right, images), f1 }
        };
        (0..self.confusion.len()).map(class).collect()
    }

    /// Which class was taken for which other, the most frequent first.
    pub fn pairs(&self) -> Vec<Confused> {
        let rows = self.confusion.iter().zip(0..);
        let pairs = rows.flat_map(|(row, label)| {
            row.iter().zip(0..).map(move |(images, predicted)| Confused { label, predicted, images: *images })
        });
        let mut pairs: Vec<Confused> = pairs.filter(|pair| pair.label != pair.predicted && pair.images > 0).collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.images));
        pairs
    }

    /// Expected calibration error (Naeini et al. 2015): how far confidence and accuracy lie apart, the mean over images.
    pub fn calibration_error(&self) -> f64 {
        let apart = |bin: &Bin| bin.images as f64 * (bin.confidence - bin.accuracy).abs();
        self.calibration.iter().map(apart).sum::<f64>() / self.images().max(1) as f64
    }
}
