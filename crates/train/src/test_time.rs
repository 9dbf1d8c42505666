//! Judging by more than one view of an image.

use crate::classify::Classify;
use crate::error::Result;
use cnn_kernels::elementwise::mirror;
use serde::{Deserialize, Serialize};

/// The views of an image by which it is judged. Their class scores are averaged, or the probabilities of a network that
/// gives these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TestTime {
    /// The image as it is.
    #[default]
    Plain,
    /// The image and its mirror image, left and right exchanged.
    Flip,
}

impl TestTime {
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::Plain
    }

    /// A network that judges so. `width` is that of its input.
    pub fn judging<'a>(self, model: Box<dyn Classify + 'a>, width: usize) -> Box<dyn Classify + 'a> {
        match self {
            Self::Plain => model,
            Self::Flip => Box::new(BothSides { model, width }),
        }
    }
}

/// A network whose scores, or probabilities, are the mean of those of an image and of its mirror image.
struct BothSides<'a> {
    model: Box<dyn Classify + 'a>,
    /// Pixels of a row.
    width: usize,
}

impl Classify for BothSides<'_> {
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        let mut mirrored = images.to_vec();
        mirror(&mut mirrored, self.width);
        let (mut scores, others) = (self.model.logits(images)?, self.model.logits(&mirrored)?);
        scores.iter_mut().zip(others).for_each(|(score, other)| *score = 0.5 * (*score + other));
        Ok(scores)
    }

    fn gives_probabilities(&self) -> bool {
        self.model.gives_probabilities()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores that are the pixels.
    struct Pixels;

    impl Classify for Pixels {
        fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
            Ok(images.to_vec())
        }
    }

    #[test]
    fn both_sides_count_the_same() {
        let images = [1.0, 2.0, 6.0, -1.0, 0.0, 1.0];
        let found = |test_time: TestTime| test_time.judging(Box::new(Pixels), 3).logits(&images).unwrap();
        assert_eq!(found(TestTime::Plain), images);
        assert_eq!(found(TestTime::Flip), [3.5, 2.0, 3.5, 0.0, 0.0, 0.0]);
    }
}
