//! The loss of a forward pass, and the gradients of its outputs.

use super::workspace::RunWorkspace;
use crate::error::{Error, Result};
use crate::plan::Plan;
use cnn_kernels::loss::{CrossEntropy, Targets};
use cnn_kernels::{Element, InstructionSet, Region, to_blocks};
use cnn_network::Network;

/// A loss and its gradients with respect to the outputs.
#[derive(Clone, Debug)]
pub struct Loss<T = f32> {
    /// The loss.
    pub value: f64,
    /// Its gradients.
    pub gradients: OutputGradients<T>,
}

/// The gradients of a loss with respect to the outputs of a forward pass: where a backward pass begins.
#[derive(Clone, Debug)]
pub struct OutputGradients<T = f32> {
    /// For each output its gradient; of one that the loss does not depend on none.
    pub(crate) of_outputs: Vec<Option<OutputGradient<T>>>,
}

/// The gradient of one output.
#[derive(Clone, Debug)]
pub(crate) struct OutputGradient<T> {
    /// Of how many images and channels, and of what size: those of the pass that it belongs to.
    pub(crate) region: Region,
    /// Its numbers, in blocks of channels.
    pub(crate) blocks: Vec<T>,
}

/// Where the numbers of an output lie, in blocks of channels of their own.
pub(crate) fn region(plan: &Plan, output: usize, batch: usize) -> Region {
    let value = &plan.lowered.outputs[output];
    Region::new(batch, value.channels, value.size)
}

/// The name of an output of a plan.
pub(crate) fn name(plan: &Plan, output: usize) -> String {
    plan.network.node(plan.targets[output]).path.clone()
}

impl<T: Element> OutputGradients<T> {
    /// From rows of pixels as outputs are given, `(N, C, H, W)`.
    pub(crate) fn read(plan: &Plan, batch: usize, rows: &[Option<&[T]>]) -> Result<Self> {
        if rows.len() > plan.targets.len() {
            let (network, expected) = (plan.network.name().to_string(), plan.targets.len());
            return Err(Error::Gradients { network, expected, found: rows.len() });
        }
        let of_outputs = rows.iter().enumerate().map(|(output, rows)| {
            let Some(rows) = rows else { return Ok(None) };
            let region = region(plan, output, batch);
            let expected = region.batch * region.channels * region.pixels();
            if rows.len() != expected {
                let (network, output) = (plan.network.name().to_string(), name(plan, output));
                return Err(Error::Gradient { network, output, expected, found: rows.len() });
            }
            let mut blocks = vec![T::ZERO; region.len()];
            to_blocks(rows, &mut blocks, &region);
            Ok(Some(OutputGradient { region, blocks }))
        });
        Ok(Self { of_outputs: of_outputs.collect::<Result<_>>()? })
    }

    /// Whether these are gradients of what a pass of `batch` images by this plan gives.
    pub(crate) fn check(&self, plan: &Plan, batch: usize) -> Result<()> {
        let network = || plan.network.name().to_string();
        if self.of_outputs.len() > plan.targets.len() {
            let (expected, found) = (plan.targets.len(), self.of_outputs.len());
            return Err(Error::Gradients { network: network(), expected, found });
        }
        for (output, gradient) in self.of_outputs.iter().enumerate() {
            let expected = region(plan, output, batch);
            if let Some(found) = gradient.as_ref().map(|gradient| gradient.region).filter(|found| *found != expected) {
                let [expected, found] = [expected, found].map(|of| (of.batch, of.channels, [of.height, of.width]));
                return Err(Error::OtherGradient { network: network(), output: name(plan, output), expected, found });
            }
        }
        Ok(())
    }
}

/// The mean cross-entropy of the logits, plus that of each auxiliary head times its weight.
pub(crate) fn cross_entropy<T: Element>(
    plan: &Plan,
    set: InstructionSet,
    batch: usize,
    targets: &Targets<'_>,
    workspace: &RunWorkspace<T>,
) -> Result<Loss<T>> {
    plan.check_targets(targets, batch)?;
    let mut loss = Loss { value: 0.0, gradients: OutputGradients { of_outputs: Vec::new() } };
    for (number, output) in plan.network.outputs().iter().enumerate() {
        let region = region(plan, number, batch);
        let mut blocks = vec![T::ZERO; region.len()];
        let entropy = CrossEntropy { weight: output.loss_weight };
        let view = workspace.view(plan, &plan.lowered.outputs[number], batch);
        loss.value += entropy.run(set, &view, targets, &mut blocks);
        loss.gradients.of_outputs.push(Some(OutputGradient { region, blocks }));
    }
    Ok(loss)
}

/// Whether a network's outputs have a cross-entropy against targets of which `own` is the label's share where another was
/// mixed in, and `smoothing` what is spread over all classes.
///
/// # Errors
///
/// Outputs that are no vectors, or probabilities already; shares that are not from 0 to 1.
pub fn check_cross_entropy(network: &Network, own: f64, smoothing: f64) -> Result<()> {
    let name = || network.name().to_string();
    for output in network.outputs() {
        let shape = network.node(output.node).shape;
        if shape.size().is_some() {
            return Err(Error::Output { network: name(), output: output.name.clone(), shape });
        }
        if network.gives_probabilities(output.node) {
            return Err(Error::Probabilities { network: name(), output: output.name.clone() });
        }
    }
    let shares = [("a label's own part", own), ("smoothing", smoothing)];
    match shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
        None => Ok(()),
        Some((what, found)) => Err(Error::Share { network: name(), what, found }),
    }
}

impl Plan {
    /// Whether the cross-entropy of a batch of `batch` images can be taken against `targets`.
    ///
    /// # Errors
    ///
    /// As [`check_cross_entropy`]; labels that are not one for each image or no class.
    pub fn check_targets(&self, targets: &Targets<'_>, batch: usize) -> Result<()> {
        let network = || self.network.name().to_string();
        check_cross_entropy(&self.network, targets.mixed.map_or(1.0, |(_, share)| share), targets.smoothing)?;
        let others = targets.mixed.map_or(targets.labels, |(labels, _)| labels);
        if let Some(labels) = [targets.labels, others].into_iter().find(|labels| labels.len() != batch) {
            return Err(Error::Labels { network: network(), expected: batch, found: labels.len() });
        }
        let heads = self.network.outputs().iter();
        let classes = heads.map(|head| self.network.node(head.node).shape.channels()).min().unwrap_or(0);
        match targets.labels.iter().chain(others).find(|label| **label as usize >= classes) {
            Some(label) => Err(Error::Label { network: network(), label: *label, classes }),
            None => Ok(()),
        }
    }
}
