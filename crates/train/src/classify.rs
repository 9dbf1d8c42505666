//! Networks that answer.

use crate::error::Result;
use cnn_core::Network;
use cnn_plan::Predictor;

/// Gives class scores, in evaluation mode.
pub trait Classify {
    /// The scores `(N, classes)` of prepared images `(N, C, H, W)`, an image after the other; the probabilities where
    /// [`Classify::gives_probabilities`] says so.
    ///
    /// # Errors
    ///
    /// Those of the network.
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>>;

    /// Whether it gives probabilities, as a network that ends in a softmax does, so that none is applied to them.
    fn gives_probabilities(&self) -> bool {
        false
    }
}

impl<C: Classify + ?Sized> Classify for Box<C> {
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        (**self).logits(images)
    }

    fn gives_probabilities(&self) -> bool {
        (**self).gives_probabilities()
    }
}

impl Classify for Predictor {
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        Ok(Self::logits(self, images)?)
    }

    fn gives_probabilities(&self) -> bool {
        self.network().gives_probabilities(self.plan().targets()[0])
    }
}

/// The scores for what a model gives: the same, or, of probabilities, their logarithms, whose softmax they are. A
/// probability that is 0 in f32 counts as the least one above it, so that its logarithm is finite.
pub(crate) fn scores(model: &dyn Classify, mut given: Vec<f32>) -> Vec<f32> {
    const LEAST: f32 = f32::from_bits(1);
    if model.gives_probabilities() {
        // What is no number stays none.
        given.iter_mut().for_each(|p| *p = if *p < LEAST { LEAST } else { *p }.ln());
    }
    given
}

/// Channels, height and width of what a network takes.
pub(crate) fn input(network: &Network) -> [usize; 3] {
    let dims = network.input().dims();
    [dims[0], dims[1], dims[2]]
}
