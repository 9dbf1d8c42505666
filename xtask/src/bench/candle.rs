//! The engine `candle`: the model, candle's automatic differentiation, this project's optimiser.

use super::engine::Engine;
use super::workload::{Batch, LEARNING_RATE, MOMENTUM, Workload};
use anyhow::{Context, Result};
use candle_core::{DType, Tensor};
use candle_nn::{Module, VarBuilder};
use cnn_core::model::Evaluation;
use cnn_core::{Model, Weights, candle_core, candle_nn};
use cnn_train::{Optimiser, Rule};

/// Forward passes in evaluation mode.
pub struct Forward {
    model: Evaluation,
    images: Tensor,
    logits: Option<Tensor>,
}

/// Steps of training, as `cnn_train::train` takes them.
pub struct Training {
    model: Model,
    optimiser: Optimiser,
    images: Tensor,
    labels: Tensor,
    loss: Option<Tensor>,
}

fn model(workload: &Workload) -> Result<Model> {
    let Workload { network, seed, device, .. } = workload;
    let weights = cnn_core::model::initialise(network, *seed, DType::F32, device)?;
    Ok(Model::new(&workload.network, VarBuilder::from_varmap(&weights, DType::F32, &workload.device))?)
}

fn tensors(workload: &Workload, Batch { images, labels }: Batch) -> Result<(Tensor, Tensor)> {
    let [c, h, w] = workload.shape();
    let images = Tensor::from_vec(images, (workload.batch, c, h, w), &workload.device)?;
    Ok((images, Tensor::new(labels, &workload.device)?))
}

fn numbers(tensor: Option<&Tensor>) -> Result<(Vec<usize>, Vec<f32>)> {
    let tensor = tensor.context("no step was taken")?;
    Ok((tensor.dims().to_vec(), tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?))
}

impl Forward {
    pub fn new(workload: &Workload, batch: Batch) -> Result<Self> {
        Ok(Self { model: model(workload)?.evaluation(), images: tensors(workload, batch)?.0, logits: None })
    }
}

impl Engine for Forward {
    fn step(&mut self) -> Result<()> {
        let logits = self.model.forward(&self.images)?;
        logits.device().synchronize()?;
        self.logits = Some(logits);
        Ok(())
    }

    fn output(&self) -> Result<(Vec<usize>, Vec<f32>)> {
        numbers(self.logits.as_ref())
    }
}

impl Training {
    pub fn new(workload: &Workload, batch: Batch) -> Result<Self> {
        let (images, labels) = tensors(workload, batch)?;
        let model = model(workload)?;
        let optimiser = Optimiser::new(Rule::sgd(MOMENTUM), &model)?;
        Ok(Self { model, optimiser, images, labels, loss: None })
    }
}

impl Engine for Training {
    fn step(&mut self) -> Result<()> {
        let outputs = self.model.outputs_t(&self.images, true)?;
        let loss = self.model.loss(&outputs, &self.labels)?;
        self.optimiser.step(&loss.backward()?, LEARNING_RATE)?;
        loss.device().synchronize()?;
        self.loss = Some(loss.detach());
        Ok(())
    }

    fn output(&self) -> Result<(Vec<usize>, Vec<f32>)> {
        numbers(self.loss.as_ref())
    }

    fn tensors(&self) -> Result<Weights> {
        Ok(self.model.to_weights()?)
    }
}
