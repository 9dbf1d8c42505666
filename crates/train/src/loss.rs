//! What a network's outputs lose.

use crate::error::{Error, Result};
use cnn_core::Network;
use cnn_data::Dataset;
use cnn_plan::Targets;
use std::fmt;

/// An output of a network for the images of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// Its numbers, `(N, classes)` or `(N, C, H, W)`, an image after the other.
    pub values: &'a [f32],
    /// What its loss counts: 1 for the main output, for an auxiliary head what its source says.
    pub weight: f64,
}

/// A loss, and where it leads.
#[derive(Clone, Debug, PartialEq)]
pub struct LossAndGradients {
    /// The loss, a mean over the images.
    pub value: f64,
    /// For each output the gradient with respect to its numbers, in the same order; `None` where the loss does not
    /// depend on the output.
    pub gradients: Vec<Option<Vec<f32>>>,
}

/// What a network is trained to make small. Both engines take any;
/// [`SoftmaxCrossEntropy`](crate::SoftmaxCrossEntropy) is the usual one.
///
/// ```
/// use cnn_train::{LossAndGradients, LossFunction, Output, Result, Targets};
///
/// /// The mean over images of half the squared distance of the main output from the label's unit vector.
/// #[derive(Debug)]
/// struct Squares;
///
/// impl LossFunction for Squares {
///     fn loss(&self, outputs: &[Output<'_>], targets: &Targets<'_>) -> Result<LossAndGradients> {
///         let (n, values) = (targets.labels.len(), outputs[0].values);
///         let classes = values.len() / n;
///         let wanted = |i: usize| f32::from(targets.labels[i / classes] as usize == i % classes);
///         let away: Vec<f32> = values.iter().enumerate().map(|(i, x)| x - wanted(i)).collect();
///         let value = away.iter().map(|x| f64::from(x * x)).sum::<f64>() / (2 * n) as f64;
///         Ok(LossAndGradients { value, gradients: vec![Some(away.iter().map(|x| x / n as f32).collect())] })
///     }
/// }
///
/// let output = Output { values: &[0.5, 0.5, 0.0, 1.0], weight: 1.0 };
/// let loss = Squares.loss(&[output], &Targets::new(&[0, 1]))?;
/// assert_eq!(loss.value, 0.125);
/// assert_eq!(loss.gradients, [Some(vec![-0.25, 0.25, 0.0, 0.0])]);
/// # Ok::<(), cnn_train::Error>(())
/// ```
pub trait LossFunction: fmt::Debug + Send + Sync {
    /// The loss of a batch and its gradients. In training `outputs` are all of the network's, the main one first; in
    /// evaluation the main one alone.
    ///
    /// # Errors
    ///
    /// What the outputs cannot be measured against; [`Error::own`] makes an error of anything.
    fn loss(&self, outputs: &[Output<'_>], targets: &Targets<'_>) -> Result<LossAndGradients>;

    /// The same with a weight for each class, which an image counts by in training; `None` where a loss knows no classes.
    fn weighted(&self, weights: Vec<f64>) -> Option<Box<dyn LossFunction>> {
        let _ = weights;
        None
    }

    /// Whether a network's outputs can be measured by it, on these labels. Asked once, before the first step.
    ///
    /// # Errors
    ///
    /// What stands against it.
    fn check(&self, network: &Network, dataset: &Dataset) -> Result<()> {
        let _ = (network, dataset);
        Ok(())
    }
}

/// The number of classes that `numbers` scores are of: as many for each image as for any other, each with a target among
/// them.
///
/// # Errors
///
/// Targets that are not one for each image, or no class.
pub(crate) fn classes(numbers: usize, targets: &Targets<'_>) -> Result<usize> {
    let images = targets.labels.len();
    let classes = numbers / images.max(1);
    for labels in [Some(targets.labels), targets.mixed.map(|(others, _)| others)].into_iter().flatten() {
        if labels.len() != images || classes * images != numbers {
            return Err(Error::Labels { images, numbers, labels: labels.len() });
        }
        if let Some(image) = labels.iter().position(|label| *label as usize >= classes) {
            return Err(Error::Label { image, label: labels[image], classes });
        }
    }
    Ok(classes)
}
