//! The engine `candle`: the model, candle's automatic differentiation, this project's optimiser.

use super::engine::Engine;
use super::workload::{Batch, LEARNING_RATE, MOMENTUM, Workload};
use anyhow::{Context, Result};
use candle_core::{DType, Tensor};
use candle_nn::{Module, VarBuilder};
use cnn_core::model::Evaluation;
use cnn_core::{Model, candle_core, candle_nn};
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
    let weights = workload.variables()?;
    Ok(Model::new(&workload.network, VarBuilder::from_varmap(&weights, DType::F32, &workload.device))?)
}

impl Forward {
    pub fn new(workload: &Workload, batch: Batch) -> Result<Self> {
        Ok(Self { model: model(workload)?.evaluation(), images: batch.images, logits: None })
    }
}

impl Engine for Forward {
    fn step(&mut self) -> Result<()> {
        let logits = self.model.forward(&self.images)?;
        logits.device().synchronize()?;
        self.logits = Some(logits);
        Ok(())
    }

    fn output(&self) -> Result<Tensor> {
        self.logits.clone().context("no step was taken")
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        Ok(Vec::new())
    }
}

impl Training {
    pub fn new(workload: &Workload, batch: Batch) -> Result<Self> {
        let Batch { images, labels } = batch;
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

    fn output(&self) -> Result<Tensor> {
        self.loss.clone().context("no step was taken")
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        Ok(self.model.tensors().map(|(spec, tensor)| (spec.name.clone(), tensor.detach())).collect())
    }
}
