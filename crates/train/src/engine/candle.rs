//! Learning with candle's autograd.

use super::gradients::Gradients;
use super::{Learner, Lesson, Saved, Stepped, shares, targets};
use crate::average::{Averaging, Move};
use crate::classify::Classify;
use crate::classify_candle::{CandleEvaluation, tensors};
use crate::error::{Error, Result};
use crate::evaluate::count_correct;
use crate::loss::{LossFunction, Output};
use crate::optimiser::Optimiser;
use crate::settings::{Clip, Precision};
use crate::tensor_rule::averaged;
use crate::weights::tensors_of;
use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use cnn_core::{Model, Network};
use cnn_data::Batch;
use cnn_plan::Targets;
use cnn_weights::{BorrowedWeights, Weights};
use std::collections::HashMap;

pub(crate) struct CandleLearner<'a> {
    network: Network,
    loss: &'a dyn LossFunction,
    device: Device,
    model: Model,
    variables: VarMap,
    optimiser: Optimiser,
    smoothing: f64,
    clip: Option<Clip>,
    average: Option<Average>,
}

/// An average of every tensor, by name, and how it moves.
struct Average {
    averaging: Averaging,
    tensors: HashMap<String, Tensor>,
}

impl<'a> CandleLearner<'a> {
    pub(super) fn new(lesson: Lesson<'a>) -> Result<Self> {
        let Lesson { network, settings, loss, device, frozen, passes, taken, steps, .. } = lesson;
        let beginning = lesson.beginning();
        let variables = cnn_core::model::variables(network, |spec| {
            let values = beginning.numbers_of::<f32>(network, &spec.name)?;
            Ok(Tensor::from_slice(&values, spec.dims.as_slice(), device)?)
        })?;
        let vb = VarBuilder::from_varmap(&variables, DType::F32, device);
        let model = Model::new(network, vb)?.freeze(frozen)?.with_dropout(settings.seed, passes);
        let precision = match settings.precision {
            Precision::F32 => DType::F32,
            Precision::Bf16 => DType::BF16,
        };
        let model = model.in_precision(precision);
        let optimiser = Optimiser::new(settings.optimizer, &model)?.paced(network, settings)?;
        let copy = |(name, tensor): (String, Tensor)| Ok((name, tensor.copy()?));
        let copies = || tensors_by_name(&model).into_iter().map(copy).collect::<Result<_>>();
        let average = Averaging::of(settings, taken, steps)
            .map(|averaging| Ok::<_, Error>(Average { averaging, tensors: copies()? }))
            .transpose()?;
        Ok(Self {
            network: network.clone(),
            loss,
            device: device.clone(),
            model,
            variables,
            optimiser,
            smoothing: settings.label_smoothing,
            clip: settings.clip,
            average,
        })
    }

    /// What a pass lost, and a tensor whose gradients are the loss's.
    fn measured(&self, outputs: &[Tensor], targets: &Targets<'_>) -> Result<(Stepped, Option<Tensor>)> {
        let mut values = Vec::new();
        for output in outputs {
            values.push(output.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?);
        }
        let weights = self.network.outputs().iter().map(|output| output.loss_weight);
        let measured: Vec<Output<'_>> =
            values.iter().zip(weights).map(|(values, weight)| Output { values, weight }).collect();
        let lost = self.loss.loss(&measured, targets)?;
        let correct = count_correct(&values[0], targets.labels);
        let stepped = Stepped { loss: lost.value as f32, correct, images: targets.labels.len() };
        // The gradient of Σ output · constant is the constant.
        let mut sum: Option<Tensor> = None;
        for (output, gradient) in outputs.iter().zip(lost.gradients) {
            let Some(gradient) = gradient else { continue };
            let gradient = Tensor::from_vec(gradient, output.shape(), &self.device)?;
            let product = (output.to_dtype(DType::F32)? * gradient)?.sum_all()?;
            sum = Some(match sum {
                Some(sum) => (sum + product)?,
                None => product,
            });
        }
        Ok((stepped, sum))
    }

    /// The model with the weights that are judged and kept, which are its own.
    fn best_known(&self) -> Result<Model> {
        let tensors = match &self.average {
            Some(average) => average.tensors.clone(),
            None => tensors_by_name(&self.model),
        };
        Ok(Model::new(&self.network, VarBuilder::from_tensors(tensors, DType::F32, &self.device))?)
    }

    fn move_average(&mut self) -> Result<()> {
        let Some(Average { averaging, tensors }) = &mut self.average else { return Ok(()) };
        let Some(moved) = averaging.step() else { return Ok(()) };
        let (Move::Follow(stays) | Move::Meet(stays)) = moved;
        for (spec, new) in self.model.tensors() {
            if let Some(average) = tensors.get_mut(&spec.name) {
                *average = averaged(average, &new.detach(), stays)?;
            }
        }
        if let Move::Meet(_) = moved {
            let variables = self.variables.data().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            for (name, slow) in tensors.iter() {
                if let Some(variable) = variables.get(name) {
                    variable.set(slow)?;
                }
            }
        }
        Ok(())
    }
}

impl Learner for CandleLearner<'_> {
    fn step(&mut self, batches: &[Batch], learning_rate: f64) -> Result<Stepped> {
        let mut stepped = Stepped::default();
        let mut gradients = TensorGradients::default();
        for (batch, share) in shares(batches) {
            let outputs = self.model.outputs_t(&tensors(batch, &self.device)?.0, true)?;
            let (one, sum) = self.measured(&outputs, &targets(batch, self.smoothing))?;
            stepped = stepped.with(one, share);
            if !one.loss.is_finite() {
                return Ok(stepped);
            }
            if let Some(sum) = sum {
                gradients.add(self.optimiser.gradients(&sum.backward()?), share)?;
            }
        }
        if let Some(clip) = self.clip {
            clip.apply(&mut gradients)?;
        }
        self.optimiser.step_along(&gradients.0, learning_rate)?;
        self.move_average()?;
        Ok(stepped)
    }

    fn judged(&self) -> Result<Box<dyn Classify + '_>> {
        Ok(Box::new(CandleEvaluation::new(&self.best_known()?, &self.device)))
    }

    fn weights(&self) -> Result<BorrowedWeights<'_>> {
        tensors_of(&self.model)
    }

    fn average(&self) -> Result<Option<BorrowedWeights<'_>>> {
        self.average.as_ref().map(|_| tensors_of(&self.best_known()?)).transpose()
    }

    fn state(&self) -> Result<BorrowedWeights<'_>> {
        let memory = self.optimiser.memory().map(|(memory, name, tensor)| (format!("{memory}/{name}"), tensor));
        let mut state = BorrowedWeights::new();
        for (name, tensor) in memory {
            state.insert(name, tensor.dims(), tensor.flatten_all()?.to_vec1::<f32>()?)?;
        }
        Ok(state)
    }

    fn restore(&mut self, saved: &Saved) -> Result<()> {
        let value = |weights: &Weights, name: &str, tensor: &Tensor| -> Result<Tensor> {
            let values = weights.numbers_of::<f32>(&self.network, name)?;
            Ok(Tensor::from_slice(&values, tensor.shape(), tensor.device())?)
        };
        // The model's tensors share the variables' storage, those that are frozen too.
        let variables = self.variables.data().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for (name, variable) in variables.iter() {
            variable.set(&value(&saved.weights, name, variable)?)?;
        }
        drop(variables);
        if let Some((average, saved)) = self.average.as_mut().zip(saved.average.as_ref()) {
            for (name, tensor) in &mut average.tensors {
                *tensor = value(saved, name, tensor)?;
            }
        }
        self.optimiser.restore(saved)
    }
}

/// The tensors of a model as they are now, by name.
fn tensors_by_name(model: &Model) -> HashMap<String, Tensor> {
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
