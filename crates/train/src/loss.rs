//! What a network's outputs lose.

use crate::class_weights::WeightedCrossEntropy;
use crate::error::{Error, Result};
use cnn_core::Network;
use cnn_data::Dataset;
use cnn_kernels::loss::CrossEntropy;
use cnn_kernels::{Region, View, from_blocks, to_blocks};
use cnn_plan::{Targets, instructions};
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

/// What a network is trained to make small. Both engines take any; [`SoftmaxCrossEntropy`] is the usual one.
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

/// Softmax cross-entropy: the mean over the images of `−Σ t · ln p`, with the probabilities `t` as the targets say,
/// plus that of each auxiliary head times its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoftmaxCrossEntropy;

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

impl LossFunction for SoftmaxCrossEntropy {
    fn loss(&self, outputs: &[Output<'_>], targets: &Targets<'_>) -> Result<LossAndGradients> {
        let (batch, set) = (targets.labels.len(), instructions()?);
        let mut loss = LossAndGradients { value: 0.0, gradients: Vec::new() };
        for output in outputs {
            let region = Region::new(batch, classes(output.values.len(), targets)?, [1, 1]);
            let (mut logits, mut gradient) = (vec![0.0; region.len()], vec![0.0; region.len()]);
            to_blocks(output.values, &mut logits, &region);
            let entropy = CrossEntropy { weight: output.weight };
            loss.value += entropy.run(set, &View::plain(&logits, region), targets, &mut gradient);
            let mut rows = vec![0.0; output.values.len()];
            from_blocks(&gradient, &region, &mut rows);
            loss.gradients.push(Some(rows));
        }
        Ok(loss)
    }

    fn weighted(&self, weights: Vec<f64>) -> Option<Box<dyn LossFunction>> {
        Some(Box::new(WeightedCrossEntropy { weights }))
    }

    fn check(&self, network: &Network, dataset: &Dataset) -> Result<()> {
        cnn_plan::check_cross_entropy(network, 1.0, 0.0)?;
        let classes = dataset.classes().len();
        for output in network.outputs() {
            let shape = network.node(output.node).shape;
            if shape.elements() != classes {
                let (network, dataset) = (network.name().to_string(), dataset.name().to_string());
                return Err(Error::Classes { network, outputs: shape.elements(), dataset, classes });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_do_not_fit_the_scores_are_refused() {
        let values = [1.0, 2.0, 0.5, 0.1, -1.0, 3.0];
        let weighted = WeightedCrossEntropy { weights: vec![1.0; 3] };
        let found = |values: &[f32], labels: &[u32], mixed: Option<&[u32]>| {
            let targets = Targets { labels, mixed: mixed.map(|others| (others, 0.5)), smoothing: 0.0 };
            let of = |loss: &dyn LossFunction| {
                loss.loss(&[Output { values, weight: 1.0 }], &targets).unwrap_err().to_string()
            };
            let [plain, weighted] = [of(&SoftmaxCrossEntropy), of(&weighted)];
            assert_eq!(plain, weighted);
            plain
        };
        let label = |image: usize, label: u32| {
            format!(
                "image {image}, counted from 0, has the label {label}, expected one below 3, the number of its scores"
            )
        };
        assert_eq!(found(&values, &[2, 3], None), label(1, 3));
        assert_eq!(found(&values, &[2, 1], Some(&[u32::MAX, 0])), label(0, u32::MAX));
        let lengths = |numbers: usize, images: usize, labels: usize| {
            format!(
                "{numbers} scores of {images} images come with {labels} labels, expected as many scores and one label \
                 for each"
            )
        };
        assert_eq!(found(&values[1..], &[2, 1], None), lengths(5, 2, 2));
        assert_eq!(found(&values, &[2, 1], Some(&[1])), lengths(6, 2, 1));
        assert_eq!(found(&values, &[], None), lengths(6, 0, 0));
        let short = WeightedCrossEntropy { weights: vec![1.0; 2] };
        let problem = short.loss(&[Output { values: &values, weight: 1.0 }], &Targets::new(&[0, 1])).unwrap_err();
        assert_eq!(problem.to_string(), "class weights: there are 2 for 3 classes, expected one for each");
        assert!(SoftmaxCrossEntropy.loss(&[], &Targets::new(&[9])).is_ok());
    }

    /// `torch.nn.functional.cross_entropy(x, t, label_smoothing=0.1)` in f64, and its gradient, with x = [[1, 2, 0.5],
    /// [0.1, -1, 3]] and t = [1, 2].
    #[test]
    fn cross_entropy_is_torchs() {
        let values = [1.0, 2.0, 0.5, 0.1, -1.0, 3.0];
        let targets = Targets { labels: &[1, 2], mixed: None, smoothing: 0.1 };
        let head = Output { values: &values, weight: 0.3 };
        let loss = SoftmaxCrossEntropy.loss(&[Output { weight: 1.0, ..head }, head], &targets).unwrap();
        assert!((loss.value - 1.3 * 0.4242381682008848).abs() < 1e-6, "{}", loss.value);
        let [Some(main), Some(auxiliary)] = &loss.gradients[..] else { panic!("{loss:?}") };
        for image in 0..2 {
            let row = &values[3 * image..3 * image + 3];
            let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
            for class in 0..3 {
                let target = 0.1 / 3.0 + if class == image + 1 { 0.9 } else { 0.0 };
                let expected = (f64::from(row[class]).exp() / sum - target) / 2.0;
                let found = [main, auxiliary].map(|gradient| f64::from(gradient[3 * image + class]));
                assert!((found[0] - expected).abs() < 1e-7 && (found[1] - 0.3 * expected).abs() < 1e-7, "{found:?}");
            }
        }
    }
}
