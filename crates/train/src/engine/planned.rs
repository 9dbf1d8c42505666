//! Learning with the planned step.

use super::gathered::Gathered;
use super::{Lesson, Stepped, Updates, shares};
use crate::average::{move_towards, staying};
use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::evaluate::{Classify, count_correct};
use crate::settings::{Clip, Decay};
use crate::weights::{Numbers, Tensors};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cnn_core::{Model, Network, lend};
use cnn_plan::{Batch as Images, Parameters, Plan, Receive, Recompute, Targets, TrainingOptions};
use std::borrow::Cow;
use std::collections::HashMap;

pub(crate) struct Learner {
    network: Network,
    plan: Plan<f32>,
    parameters: Parameters<f32>,
    updates: Updates,
    smoothing: f64,
    clip: Option<Clip>,
    /// Where steps need all gradients at once.
    gathered: Option<Gathered>,
    average: Option<Average>,
    evaluation: Plan<f32>,
}

/// The moving average, and the share of it that stays.
struct Average {
    share: f64,
    parameters: Parameters<f32>,
}

impl Learner {
    pub(super) fn new(lesson: Lesson<'_>) -> Result<Self> {
        let Lesson { network, settings, frozen, passes, .. } = lesson;
        let recompute = if settings.recompute { Recompute::Segments } else { Recompute::Nothing };
        let options = TrainingOptions { seed: settings.seed, passes, frozen, recompute };
        let parameters = Parameters::new(network, lesson.beginning()?)?;
        let updates = Updates::new(settings.optimizer);
        let copy = |share| -> Result<Average> { Ok(Average { share, parameters: copy(network, &parameters)? }) };
        Ok(Self {
            plan: Plan::training(network, options)?,
            updates: match settings.decay {
                Decay::All => updates,
                Decay::Weights => updates.decaying_weights_only(network),
            },
            smoothing: settings.label_smoothing,
            clip: settings.clip,
            gathered: (settings.accumulate > 1 || settings.clip.is_some()).then(Gathered::default),
            average: settings.average.map(copy).transpose()?,
            evaluation: Plan::evaluation(network),
            network: network.clone(),
            parameters,
        })
    }

    pub(super) fn step(&mut self, batches: &[cnn_data::Batch], learning_rate: f64) -> Result<Stepped> {
        let mut stepped = Stepped::default();
        self.gathered.iter_mut().for_each(Gathered::clear);
        self.updates.next(learning_rate);
        for (batch, share) in shares(batches) {
            let one = self.forward(batch)?;
            stepped = stepped.with(one, share);
            if !one.loss.is_finite() {
                return Ok(stepped);
            }
            match &mut self.gathered {
                None => self.plan.backward(&mut self.parameters, &mut self.updates),
                Some(gathered) => self.plan.backward(&mut self.parameters, gathered.next(share)),
            }
        }
        if let Some(gathered) = &mut self.gathered {
            if let Some(clip) = self.clip {
                gathered.clip(clip);
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

    fn forward(&mut self, batch: &cnn_data::Batch) -> Result<Stepped> {
        let labels = batch.labels.to_vec1::<u32>()?;
        let others = batch.mixed.as_ref().map(|mixed| mixed.labels.to_vec1::<u32>()).transpose()?;
        let mixed = others.as_deref().zip(batch.mixed.as_ref().map(|mixed| mixed.share));
        let targets = Targets { labels: &labels, mixed, smoothing: self.smoothing };
        let (plan, parameters) = (&mut self.plan, &mut self.parameters);
        let loss = lend(&batch.images, |images| plan.forward(parameters, &Images { images, targets }))?? as f32;
        let logits = self.plan.output(0);
        let logits = Tensor::from_slice(&logits, (labels.len(), logits.len() / labels.len()), &Device::Cpu)?;
        Ok(Stepped { loss, correct: count_correct(&logits, &batch.labels)? })
    }

    /// The network that is judged.
    pub(super) fn judged(&mut self) -> impl Classify {
        let parameters = match &mut self.average {
            Some(average) => &mut average.parameters,
            None => &mut self.parameters,
        };
        Planned { plan: &mut self.evaluation, parameters }
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

fn copy(network: &Network, parameters: &Parameters<f32>) -> Result<Parameters<f32>> {
    Ok(Parameters::new(network, parameters.values().map(<[f32]>::to_vec))?)
}

/// The parameters in `values`, each under its name behind `prefix`.
fn found(network: &Network, values: &HashMap<String, Vec<f32>>, prefix: &str) -> Result<Parameters<f32>> {
    let value = |name: &str| values.get(&format!("{prefix}{name}")).cloned().unwrap_or_default();
    Ok(Parameters::new(network, network.tensors().map(|spec| value(&spec.name)))?)
}

fn named<'a>(network: &Network, parameters: &'a Parameters<f32>) -> Tensors<'a> {
    let named = network
        .tensors()
        .zip(parameters.values())
        .map(|(spec, values)| (spec.name.clone(), Numbers { dims: spec.dims.clone(), values: Cow::Borrowed(values) }));
    Tensors(named.collect())
}

/// A network's evaluation on the kernels, much faster on the CPU than candle's.
#[derive(Debug)]
pub struct PlannedEvaluation {
    plan: Plan<f32>,
    parameters: Parameters<f32>,
}

impl PlannedEvaluation {
    /// The network of `model` with a copy of its weights.
    ///
    /// # Errors
    ///
    /// Those of reading the weights.
    pub fn new(model: &Model) -> Result<Self> {
        let values =
            model.tensors().map(|(_, tensor)| Ok(lend(tensor, <[f32]>::to_vec)?)).collect::<Result<Vec<_>>>()?;
        let parameters = Parameters::new(model.network(), values)?;
        Ok(Self { plan: Plan::evaluation(model.network()), parameters })
    }
}

impl Classify for PlannedEvaluation {
    fn logits(&mut self, images: &Tensor) -> Result<Tensor> {
        Planned { plan: &mut self.plan, parameters: &mut self.parameters }.logits(images)
    }
}

/// A plan for evaluation with its weights.
struct Planned<'a> {
    plan: &'a mut Plan<f32>,
    parameters: &'a mut Parameters<f32>,
}

impl Classify for Planned<'_> {
    fn logits(&mut self, images: &Tensor) -> Result<Tensor> {
        let logits = lend(images, |images| self.plan.logits(self.parameters, images))??;
        let batch = images.dim(0)?;
        Ok(Tensor::from_slice(&logits, (batch, logits.len() / batch), &Device::Cpu)?)
    }
}
