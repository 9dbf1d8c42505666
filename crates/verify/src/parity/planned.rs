//! The same network planned: evaluation and training step on the kernels, in f32.

use super::{Parity, Rows, Statistics, Way, f32_allowed};
use crate::error::Result;
use crate::rule::Rule;
use cnn_core::Network;
use cnn_plan::{Batch, Parameters, Plan, Targets, TrainingOptions};

impl Parity<'_> {
    /// The parameters of a plan: by the rule, and these statistics or zeros.
    fn parameters(&self, network: &Network, statistics: &Statistics) -> Result<Parameters<f32>> {
        Ok(Parameters::new(network, network.tensors().map(|spec| narrow(self.values(spec, statistics))))?)
    }

    /// The logits that a plan for evaluation computes of images.
    pub(super) fn planned_logits(
        &self,
        network: &Network,
        statistics: &Statistics,
        images: &[f64],
    ) -> Result<Vec<f64>> {
        let mut parameters = self.parameters(network, statistics)?;
        let logits = Plan::evaluation(network).logits(&mut parameters, &narrow(images.to_vec()))?;
        Ok(wide(&logits))
    }

    /// Holds loss and gradients of a planned step to the golden.
    pub(super) fn planned_gradients(&mut self) -> Result<()> {
        let about = &self.golden.about;
        let network = self.network(about.input, true)?;
        let mut parameters = self.parameters(&network, &Statistics::new())?;
        let images = narrow(self.rule.input("input", about.input));
        let labels = Rule::labels(about.input[0], about.classes);
        let mut plan = Plan::training(&network, TrainingOptions::default())?;
        let loss = plan.forward(&mut parameters, &Batch { images: &images, targets: Targets::new(&labels) })?;
        let error = self.loss_error(loss);
        self.comparison.loss_planned = error;
        self.within(format!("loss {}", Way::Planned), error, f32_allowed(self.golden.about.f32_loss));

        let rows = Rows::of(self.golden);
        let specs: Vec<_> = network.tensors().collect();
        let mut received = vec![false; specs.len()];
        plan.backward(&mut parameters, &mut |tensor: usize, _: &mut [f32], gradient: &[f32]| {
            received[tensor] = true;
            self.gradient(&rows, &specs[tensor].name, Some(&wide(gradient)), Way::Planned);
        });
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
