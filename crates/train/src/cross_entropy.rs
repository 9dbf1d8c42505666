//! Softmax cross-entropy, the usual loss.

use crate::class_weights::WeightedCrossEntropy;
use crate::error::{Error, Result};
use crate::loss::{LossAndGradients, LossFunction, Output, classes};
use cnn_core::Network;
use cnn_data::Dataset;
use cnn_kernels::loss::CrossEntropy;
use cnn_kernels::{Region, View, from_blocks, to_blocks};
use cnn_plan::{Targets, instructions};

/// Softmax cross-entropy: the mean over the images of `−Σ t · ln p`, with the probabilities `t` as the targets say,
/// plus that of each auxiliary head times its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoftmaxCrossEntropy;

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
