//! Learning with candle's autograd.

use super::gradients::Gradients;
use super::{Lesson, Stepped, shares};
use crate::average::staying;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::evaluate::count_correct;
use crate::optimiser::Optimiser;
use crate::settings::{Clip, Decay, Precision};
use crate::tensor_rule::averaged;
use crate::weights::{Numbers, Tensors, tensors_of};
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use cnn_core::model::Targets;
use cnn_core::{Model, Network};
use std::borrow::Cow;
use std::collections::HashMap;

pub(crate) struct Learner {
    network: Network,
    model: Model,
    variables: VarMap,
    optimiser: Optimiser,
    smoothing: f64,
    clip: Option<Clip>,
    average: Option<Average>,
}

/// The moving average of every tensor, by name, and the share of it that stays.
struct Average {
    share: f64,
    tensors: HashMap<String, Tensor>,
}

impl Learner {
    pub(super) fn new(lesson: Lesson<'_>) -> Result<Self> {
        let Lesson { network, settings, device, frozen, passes, .. } = lesson;
        let variables = VarMap::new();
        let beginning = lesson.beginning();
        for spec in network.tensors() {
            let values = beginning.numbers_of::<f32>(network, &spec.name)?;
            let tensor = Tensor::from_slice(&values, spec.dims.as_slice(), device)?;
            let mut data = variables.data().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            data.insert(spec.name.clone(), Var::from_tensor(&tensor)?);
        }
        let vb = VarBuilder::from_varmap(&variables, DType::F32, device);
        let model = Model::new(network, vb)?.freeze(frozen).with_dropout(settings.seed, passes);
        let precision = match settings.precision {
            Precision::F32 => DType::F32,
            Precision::Bf16 => DType::BF16,
        };
        let model = model.in_precision(precision);
        let optimiser = Optimiser::new(settings.optimizer, &model)?;
        let optimiser = match settings.decay {
            Decay::All => optimiser,
            Decay::Weights => optimiser.decaying_weights_only(),
        };
        let copy = |(name, tensor): (String, Tensor)| Ok((name, tensor.copy()?));
        let copies = || tensors(&model).into_iter().map(copy).collect::<Result<_>>();
        let average =
            settings.average.map(|share| Ok::<_, Error>(Average { share, tensors: copies()? })).transpose()?;
        Ok(Self {
            network: network.clone(),
            model,
            variables,
            optimiser,
            smoothing: settings.label_smoothing,
            clip: settings.clip,
            average,
        })
    }

    pub(super) fn step(&mut self, batches: &[cnn_data::Batch], learning_rate: f64) -> Result<Stepped> {
        let mut stepped = Stepped::default();
        let mut gradients = TensorGradients::default();
        for (batch, share) in shares(batches) {
            let outputs = self.model.outputs_t(&batch.images, true)?;
            let mixed = batch.mixed.as_ref().map(|mixed| (&mixed.labels, mixed.share));
            let targets = Targets { labels: &batch.labels, mixed, smoothing: self.smoothing };
            let loss = self.model.loss(&outputs, targets)?;
            let one = Stepped { loss: loss.to_scalar::<f32>()?, correct: count_correct(&outputs[0], &batch.labels)? };
            stepped = stepped.with(one, share);
            if !one.loss.is_finite() {
                return Ok(stepped);
            }
            gradients.add(self.optimiser.gradients(&loss.backward()?), share)?;
        }
        if let Some(clip) = self.clip {
            clip.apply(&mut gradients)?;
        }
        self.optimiser.step_along(&gradients.0, learning_rate)?;
        if let Some(Average { share, tensors }) = &mut self.average {
            let stays = staying(*share, self.optimiser.steps());
            for (spec, new) in self.model.tensors() {
                if let Some(average) = tensors.get_mut(&spec.name) {
                    *average = averaged(average, &new.detach(), stays)?;
                }
            }
        }
        Ok(stepped)
    }

    /// The network that is judged, with weights of its own.
    pub(super) fn judged(&self) -> Result<Model> {
        let tensors = match &self.average {
            Some(average) => average.tensors.clone(),
            None => tensors(&self.model),
        };
        let device = self.model.tensors().next().map_or(Device::Cpu, |(_, tensor)| tensor.device().clone());
        Ok(Model::new(&self.network, VarBuilder::from_tensors(tensors, DType::F32, &device))?)
    }

    pub(super) fn weights(&self) -> Result<Tensors<'_>> {
        tensors_of(&self.model)
    }

    pub(super) fn kept(&self) -> Result<Tensors<'_>> {
        tensors_of(&self.judged()?)
    }

    pub(super) fn state(&self) -> Result<Tensors<'_>> {
        let memory = self.optimiser.memory().map(|(kind, name, tensor)| (format!("{kind}/{name}"), tensor));
        let average = self.average.iter().flat_map(|average| &average.tensors);
        let average = average.map(|(name, tensor)| (format!("average/{name}"), tensor));
        let numbers = memory.chain(average).map(|(name, tensor)| {
            let values = Cow::Owned(tensor.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?);
            Ok((name, Numbers { dims: tensor.dims().to_vec(), values }))
        });
        Ok(Tensors(numbers.collect::<Result<_>>()?))
    }

    pub(super) fn restore(&mut self, checkpoint: Checkpoint) -> Result<()> {
        let Checkpoint { position, weights, state } = checkpoint;
        let value = |values: &HashMap<String, Vec<f32>>, name: &str, tensor: &Tensor| -> Result<Tensor> {
            let values = values.get(name).cloned().unwrap_or_default();
            Ok(Tensor::from_vec(values, tensor.shape(), tensor.device())?)
        };
        // The model's tensors share the variables' storage, those that are frozen too.
        let variables = self.variables.data().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for (name, variable) in variables.iter() {
            variable.set(&value(&weights, name, variable)?)?;
        }
        drop(variables);
        if let Some(average) = &mut self.average {
            for (name, tensor) in &mut average.tensors {
                *tensor = value(&state, &format!("average/{name}"), tensor)?;
            }
        }
        self.optimiser.restore(position.updates as i32, |kind, name| state.get(&format!("{kind}/{name}")).cloned())
    }
}

/// The tensors of a model as they are now, by name.
fn tensors(model: &Model) -> HashMap<String, Tensor> {
    model.tensors().map(|(spec, tensor)| (spec.name.clone(), tensor.detach())).collect()
}

/// The gradient of each tensor that is trained, if it has one.
#[derive(Default)]
struct TensorGradients(Vec<Option<Tensor>>);

impl TensorGradients {
    /// Adds a batch's gradients, which count `share` of the step's.
    fn add(&mut self, new: Vec<Option<Tensor>>, share: f64) -> Result<()> {
        if share == 1.0 {
            self.0 = new;
            return Ok(());
        }
        self.0.resize(new.len(), None);
        for (sum, new) in self.0.iter_mut().zip(new) {
            let Some(new) = new else { continue };
            let new = (new * share)?;
            *sum = Some(match sum.take() {
                Some(sum) => (sum + new)?,
                None => new,
            });
        }
        Ok(())
    }

    fn map(&mut self, change: impl Fn(&Tensor) -> candle_core::Result<Tensor>) -> Result<()> {
        for gradient in self.0.iter_mut().flatten() {
            *gradient = change(gradient)?;
        }
        Ok(())
    }
}

impl Gradients for TensorGradients {
    fn squares(&self) -> Result<f64> {
        let mut squares = 0.0;
        for gradient in self.0.iter().flatten() {
            squares += f64::from(gradient.sqr()?.sum_all()?.to_dtype(DType::F32)?.to_scalar::<f32>()?);
        }
        Ok(squares)
    }

    fn scale(&mut self, factor: f64) -> Result<()> {
        self.map(|gradient| gradient * factor)
    }

    fn clamp(&mut self, limit: f64) -> Result<()> {
        self.map(|gradient| gradient.clamp(-limit, limit))
    }
}
