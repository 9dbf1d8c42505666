//! A network with its weights, ready to answer.

use crate::error::{Error, Result};
use crate::inference::{InferenceOptions, InferencePlan, Workspace};
use cnn_network::Network;
use cnn_weights::Weights;
use std::sync::{Arc, Mutex, PoisonError};

/// A network with its weights, on the CPU, in f32 unless its plan was made otherwise. Threads share it, and copies share the weights.
///
/// It is an [`InferencePlan`] with memory for the calls that run at the same time, which is kept for the next ones.
#[derive(Clone, Debug)]
pub struct Predictor {
    plan: InferencePlan,
    /// Memory that no call has at the moment.
    spare: Arc<Mutex<Vec<Workspace>>>,
}

impl Predictor {
    /// A predictor of a network's main output.
    ///
    /// # Errors
    ///
    /// Weights that are not this network's, numbers that are not finite.
    pub fn new(network: &Network, weights: &Weights) -> Result<Self> {
        Ok(Self::of(InferencePlan::new(network, weights, InferenceOptions::default())?))
    }

    /// A predictor of the nodes of some paths: features, maps, heads.
    ///
    /// # Errors
    ///
    /// As [`Predictor::new`]; no path, a node that is not there, with those most like it.
    pub fn of_nodes(network: &Network, weights: &Weights, paths: &[&str]) -> Result<Self> {
        Ok(Self::of(InferencePlan::new(network, weights, InferenceOptions::default().of_nodes(paths))?))
    }

    /// A predictor that answers by a plan.
    pub fn of(plan: InferencePlan) -> Self {
        Self { plan, spare: Arc::default() }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.plan.network()
    }

    /// The first output for images `(N, C, H, W)`: the logits, `(N, classes)`.
    ///
    /// # Errors
    ///
    /// Numbers that are no whole images, a batch that memory does not hold.
    pub fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        Ok(self.outputs(images)?.swap_remove(0))
    }

    /// All outputs for images `(N, C, H, W)`, each `(N, C, H, W)` or `(N, classes)`.
    ///
    /// # Errors
    ///
    /// As [`Predictor::logits`].
    pub fn outputs(&self, images: &[f32]) -> Result<Vec<Vec<f32>>> {
        let batch = self.plan.batch_of(images.len())?;
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is too small is given up before there is another.
        let kept = spare().pop().filter(|workspace| workspace.capacity() >= batch);
        let mut workspace = match kept {
            Some(workspace) => workspace,
            None => self.plan.workspace(batch)?,
        };
        let outputs = self.plan.outputs(&mut workspace, images)?;
        spare().push(workspace);
        Ok(outputs)
    }

    /// The plan it answers by.
    pub fn plan(&self) -> &InferencePlan {
        &self.plan
    }

    /// The probability of each class for images `(N, C, H, W)`, `(N, classes)`: the softmax of the logits, or, where the
    /// network ends in a softmax of its own, flattened or not, what it gives.
    ///
    /// # Errors
    ///
    /// As [`Predictor::logits`]; an output that is a map and no vector of scores.
    pub fn probabilities(&self, images: &[f32]) -> Result<Vec<f32>> {
        let network = self.network();
        let output = network.node(self.plan.targets()[0]);
        let [classes] = output.shape.dims()[..] else {
            let (network, output, shape) = (network.name().to_string(), output.path.clone(), output.shape);
            return Err(Error::NoScores { network, output, shape });
        };
        let mut rows = self.logits(images)?;
        if !network.gives_probabilities(self.plan.targets()[0]) {
            rows.chunks_exact_mut(classes).for_each(softmax);
        }
        Ok(rows)
    }
}

/// The softmax `eˣ / Σ eˣ` of the scores of one image, in place, summed in f64.
pub fn softmax(row: &mut [f32]) {
    let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = row.iter().map(|x| f64::from(*x - greatest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    row.iter_mut().zip(exponentials).for_each(|(x, exponential)| *x = (exponential / sum) as f32);
}
