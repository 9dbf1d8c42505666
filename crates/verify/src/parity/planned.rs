//! The same network planned: evaluation and training step on the kernels, in f32.

use super::gradients::Rows;
use super::{Parity, Statistics, Way};
use crate::error::Result;
use crate::rule::Rule;
use cnn_core::Network;
use cnn_core::weights::{Tensor, Weights};
use cnn_plan::{Dropout, Parameters, Predictor, Targets, TrainingOptions, TrainingPlan, TrainingRun};

impl Parity<'_> {
    /// The weights of a plan: by the rule, and these statistics or zeros.
    fn weights(&self, network: &Network, statistics: &Statistics) -> Result<Weights> {
        let mut weights = Weights::new();
        for spec in network.tensors() {
            let values = narrow(self.values(spec, statistics));
            weights.insert(spec.name.clone(), Tensor::new(&spec.name, &spec.dims, values)?);
        }
        Ok(weights)
    }

    /// The logits that a plan for evaluation computes of images.
    pub(super) fn planned_logits(
        &self,
        network: &Network,
        statistics: &Statistics,
        images: &[f64],
    ) -> Result<Vec<f64>> {
        let predictor = Predictor::new(network, &self.weights(network, statistics)?)?;
        Ok(wide(&predictor.logits(&narrow(images.to_vec()))?))
    }

    /// The inner nodes that the golden names, as a plan for them computes them.
    pub(super) fn planned_nodes(
        &self,
        network: &Network,
        statistics: &Statistics,
        images: &[f64],
    ) -> Result<Vec<Vec<f64>>> {
        let paths: Vec<&str> = self.golden.about.nodes.iter().map(String::as_str).collect();
        let predictor = Predictor::of_nodes(network, &self.weights(network, statistics)?, &paths)?;
        Ok(predictor.outputs(&narrow(images.to_vec()))?.iter().map(|values| wide(values)).collect())
    }

    /// Holds outputs, loss and gradients of a planned step to the golden.
    pub(super) fn planned_step(&mut self) -> Result<()> {
        let about = &self.golden.about;
        let network = self.network(about.input, true)?;
        let mut parameters = Parameters::new(&network, &self.weights(&network, &Statistics::new())?)?;
        let images = narrow(self.rule.input("input", about.input));
        let labels = Rule::labels(about.input[0], about.classes);
        let plan = TrainingPlan::new(&network, TrainingOptions::default())?;
        let mut run = TrainingRun::new(&plan, Dropout::default());
        let forward = run.forward(&mut parameters, &images)?;
        let loss = forward.cross_entropy(&Targets::new(&labels))?;
        self.loss(loss.value, Way::Planned);
        let outputs = (0..network.outputs().len()).map(|index| wide(&forward.output(index))).collect();
        self.outputs(&network, outputs, Way::Planned);

        let rows = Rows::of(self.golden);
        let specs: Vec<_> = network.tensors().collect();
        let mut received = vec![false; specs.len()];
        forward.backward(&loss.gradients, &mut |tensor: usize, _: &mut [f32], gradient: &[f32]| {
            received[tensor] = true;
            self.gradient(&rows, &specs[tensor].name, Some(wide(gradient)), Way::Planned);
        })?;
        for (spec, _) in specs.iter().zip(received).filter(|(spec, received)| spec.trained() && !received) {
            self.gradient(&rows, &spec.name, None, Way::Planned);
        }
        self.without_a_gradient(&rows, &network, Way::Planned);
        Ok(())
    }
}

fn narrow(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}
