//! Learning with the planned step.

use super::gathered::Gathered;
use super::{Lesson, Stepped, Updates, shares};
use crate::average::{move_towards, staying};
use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::evaluate::Classify;
use crate::settings::{Clip, Decay};
use crate::weights::{Numbers, Tensors};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cnn_core::{Model, Network, lend};
use cnn_plan::{
    Dropout, Evaluation, EvaluationPlan, Parameters, Predictor, Receive, Recompute, Targets, TrainingOptions,
    TrainingPlan, TrainingRun,
};
use cnn_weights::{Tensor as WeightsTensor, Weights};
use std::borrow::Cow;
use std::collections::HashMap;

pub(crate) struct Learner {
    network: Network,
    run: TrainingRun,
    parameters: Parameters,
    updates: Updates,
    smoothing: f64,
    clip: Option<Clip>,
    /// Where steps need all gradients at once.
    gathered: Option<Gathered>,
    average: Option<Average>,
    evaluation: Evaluation,
}

/// The moving average, and the share of it that stays.
struct Average {
    share: f64,
    parameters: Parameters,
}

impl Learner {
    pub(super) fn new(lesson: Lesson<'_>) -> Result<Self> {
        let Lesson { network, settings, frozen, passes, .. } = lesson;
        let recompute = if settings.recompute { Recompute::Segments } else { Recompute::Nothing };
        let plan = TrainingPlan::new(network, TrainingOptions { frozen, recompute, nodes: &[] })?;
        let parameters = Parameters::new(network, &lesson.beginning())?;
        let updates = Updates::new(settings.optimizer);
        Ok(Self {
            run: TrainingRun::new(&plan, Dropout { seed: settings.seed, passes }),
            updates: match settings.decay {
                Decay::All => updates,
                Decay::Weights => updates.decaying_weights_only(network),
            },
            smoothing: settings.label_smoothing,
            clip: settings.clip,
            gathered: (settings.accumulate > 1 || settings.clip.is_some()).then(Gathered::default),
            average: settings.average.map(|share| Average { share, parameters: parameters.clone() }),
            evaluation: Evaluation::new(&EvaluationPlan::new(network)?),
            network: network.clone(),
            parameters,
        })
    }

    pub(super) fn step(&mut self, batches: &[cnn_data::Batch], learning_rate: f64) -> Result<Stepped> {
        let mut stepped = Stepped::default();
        self.gathered.iter_mut().for_each(Gathered::clear);
        self.updates.next(learning_rate);
        for (batch, share) in shares(batches) {
            let labels = batch.labels.to_vec1::<u32>()?;
            let others = batch.mixed.as_ref().map(|mixed| mixed.labels.to_vec1::<u32>()).transpose()?;
            let mixed = others.as_deref().zip(batch.mixed.as_ref().map(|mixed| mixed.share));
            let targets = Targets { labels: &labels, mixed, smoothing: self.smoothing };
            self.run.plan().check_targets(&targets, labels.len())?;
            let forward = lend(&batch.images, |images| self.run.forward(&mut self.parameters, images))??;
            let loss = forward.cross_entropy(&targets)?;
            let one = Stepped { loss: loss.value as f32, correct: correct(&forward.output(0), &labels) };
            stepped = stepped.with(one, share);
            if !one.loss.is_finite() {
                return Ok(stepped);
            }
            match &mut self.gathered {
                None => forward.backward(&loss.gradients, &mut self.updates),
                Some(gathered) => forward.backward(&loss.gradients, gathered.next(share)),
            }
        }
        if let Some(gathered) = &mut self.gathered {
            if let Some(clip) = self.clip {
                clip.apply(gathered)?;
            }
            for (tensor, gradient) in gathered.iter() {
                self.updates.receive(tensor, self.parameters.value_mut(tensor), gradient);
            }
        }
        if let Some(Average { share, parameters }) = &mut self.average {
            let stays = staying(*share, self.updates.steps());
            for (tensor, new) in self.parameters.values().enumerate() {
                move_towards(parameters.value_mut(tensor), new, stays);
            }
        }
        Ok(stepped)
    }

    /// The network that is judged.
    pub(super) fn judged(&mut self) -> impl Classify {
        let parameters = self.average.as_ref().map_or(&self.parameters, |average| &average.parameters);
        Planned { evaluation: &self.evaluation, parameters }
    }

    pub(super) fn weights(&self) -> Tensors<'_> {
        named(&self.network, &self.parameters)
    }

    pub(super) fn kept(&self) -> Tensors<'_> {
        named(&self.network, self.average.as_ref().map_or(&self.parameters, |average| &average.parameters))
    }

    pub(super) fn state(&self) -> Tensors<'_> {
        let specs: Vec<_> = self.network.tensors().collect();
        let state = |kind: &str, tensor: usize, values| {
            let spec = specs[tensor];
            (format!("{kind}/{}", spec.name), Numbers { dims: spec.dims.clone(), values: Cow::Borrowed(values) })
        };
        let memory = self.updates.memory().map(|(kind, tensor, values)| state(kind, tensor, values));
        let average = self.average.iter().flat_map(|average| average.parameters.values().enumerate());
        Tensors(memory.chain(average.map(|(tensor, values)| state("average", tensor, values))).collect())
    }

    pub(super) fn restore(&mut self, checkpoint: Checkpoint) -> Result<()> {
        let Checkpoint { position, weights, state } = checkpoint;
        self.parameters = found(&self.network, &weights, "")?;
        if let Some(average) = &mut self.average {
            average.parameters = found(&self.network, &state, "average/")?;
        }
        self.updates.restore(position.updates as i32, &self.network, &state);
        Ok(())
    }

    pub(super) fn into_model(self) -> Result<Model> {
        let kept = self.kept();
        let tensors = kept.0.into_iter().map(|(name, Numbers { dims, values })| {
            Ok((name, Tensor::from_vec(values.into_owned(), dims, &Device::Cpu)?))
        });
        let vb = VarBuilder::from_tensors(tensors.collect::<Result<_>>()?, DType::F32, &Device::Cpu);
        Ok(Model::new(&self.network, vb)?)
    }
}

/// How many rows of logits are largest at their label; the first of equals counts.
fn correct(logits: &[f32], labels: &[u32]) -> usize {
    let rows = logits.chunks_exact(logits.len() / labels.len());
    let largest = |row: &[f32]| (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
    rows.zip(labels).filter(|(row, label)| largest(row) == **label as usize).count()
}

/// The parameters in `values`, each under its name behind `prefix`.
fn found(network: &Network, values: &HashMap<String, Vec<f32>>, prefix: &str) -> Result<Parameters> {
    let mut weights = Weights::new();
    for spec in network.tensors() {
        if let Some(values) = values.get(&format!("{prefix}{}", spec.name)) {
            weights.insert(spec.name.clone(), WeightsTensor::new(&spec.name, &spec.dims, values.clone())?);
        }
    }
    Ok(Parameters::new(network, &weights)?)
}

fn named<'a>(network: &Network, parameters: &'a Parameters) -> Tensors<'a> {
    let named = network
        .tensors()
        .zip(parameters.values())
        .map(|(spec, values)| (spec.name.clone(), Numbers { dims: spec.dims.clone(), values: Cow::Borrowed(values) }));
    Tensors(named.collect())
}

/// A network's evaluation on the kernels, much faster on the CPU than candle's.
#[derive(Debug)]
pub struct PlannedEvaluation(Predictor);

impl PlannedEvaluation {
    /// The network with its weights.
    ///
    /// # Errors
    ///
    /// Weights that are not the network's, numbers that are not finite.
    pub fn new(network: &Network, weights: &Weights) -> Result<Self> {
        Ok(Self(Predictor::new(network, weights)?))
    }
}

impl Classify for PlannedEvaluation {
    fn logits(&mut self, images: &Tensor) -> Result<Tensor> {
        rows(images, lend(images, |images| self.0.logits(images))??)
    }
}

/// An evaluation with the weights as they are now.
struct Planned<'a> {
    evaluation: &'a Evaluation,
    parameters: &'a Parameters,
}

impl Classify for Planned<'_> {
    fn logits(&mut self, images: &Tensor) -> Result<Tensor> {
        rows(images, lend(images, |images| self.evaluation.outputs(self.parameters, images))??.swap_remove(0))
    }
}

/// Logits as a tensor, `(N, classes)`.
fn rows(images: &Tensor, logits: Vec<f32>) -> Result<Tensor> {
    let batch = images.dim(0)?;
    let classes = logits.len() / batch;
    Ok(Tensor::from_vec(logits, (batch, classes), &Device::Cpu)?)
}
