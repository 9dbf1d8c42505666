//! Learning with the planned step.

use super::Stepped;
use crate::error::Result;
use crate::evaluate::{Classify, count_correct};
use crate::settings::{Rule, Settings};
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarBuilder;
use cnn_core::{Model, Network};
use cnn_kernels::update::{AdamW, Sgd, Update};
use cnn_kernels::{Buffer, InstructionSet};
use cnn_plan::{Batch as Images, Parameters, Parts, Plan, Receive, Targets, TrainingOptions};

pub(crate) struct Learner {
    /// Holds the weights for saving; behind the parameters while training.
    model: Model,
    plan: Plan<f32>,
    updates: Updates,
    evaluation: PlannedEvaluation,
}

impl Learner {
    pub(super) fn new(network: &Network, settings: &Settings) -> Result<Self> {
        let variables = cnn_core::model::initialise(network, settings.seed, DType::F32, &Device::Cpu)?;
        let model = Model::new(network, VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
        let evaluation = PlannedEvaluation::new(&model)?;
        let plan = Plan::training(network, TrainingOptions { seed: settings.seed, ..TrainingOptions::default() })?;
        Ok(Self { model, plan, updates: Updates::new(settings.rule), evaluation })
    }

    pub(super) fn step(&mut self, batch: &cnn_data::Batch, learning_rate: f64) -> Result<Stepped> {
        let (images, labels) = (numbers(&batch.images)?, batch.labels.to_vec1::<u32>()?);
        let parameters = &mut self.evaluation.parameters;
        let images = Images { images: &images, targets: Targets::new(&labels) };
        let loss = self.plan.forward(parameters, &images)? as f32;
        let logits = self.plan.output(0);
        if loss.is_finite() {
            self.updates.next(learning_rate);
            self.plan.backward(parameters, &mut self.updates);
        }
        let logits = Tensor::from_slice(&logits, (labels.len(), logits.len() / labels.len()), &Device::Cpu)?;
        Ok(Stepped { loss, correct: count_correct(&logits, &batch.labels)? })
    }

    pub(super) fn evaluation(&mut self) -> &mut PlannedEvaluation {
        &mut self.evaluation
    }

    pub(super) fn model(&self) -> Result<&Model> {
        for ((_, tensor), values) in self.model.tensors().zip(self.evaluation.parameters.values()) {
            Var::from_tensor(tensor)?.set(&Tensor::from_slice(values, tensor.shape(), &Device::Cpu)?)?;
        }
        Ok(&self.model)
    }

    pub(super) fn into_model(self) -> Result<Model> {
        self.model()?;
        Ok(self.model)
    }
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
        let values = model.tensors().map(|(_, tensor)| numbers(tensor)).collect::<Result<Vec<_>>>()?;
        let parameters = Parameters::new(model.network(), values)?;
        Ok(Self { plan: Plan::evaluation(model.network()), parameters })
    }
}

impl Classify for PlannedEvaluation {
    fn logits(&mut self, images: &Tensor) -> Result<Tensor> {
        let logits = self.plan.logits(&mut self.parameters, &numbers(images)?)?;
        let batch = images.dim(0)?;
        Ok(Tensor::from_slice(&logits, (batch, logits.len() / batch), &Device::Cpu)?)
    }
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// Updates each tensor as soon as its gradient is there, so that no two gradients are in memory at once.
#[derive(Debug)]
pub struct Updates {
    set: InstructionSet,
    rule: Rule,
    learning_rate: f64,
    steps: i32,
    /// What the rule remembers of each tensor.
    memory: Vec<[Buffer<f32>; 2]>,
}

impl Updates {
    /// Updates by a rule, before the first step.
    pub fn new(rule: Rule) -> Self {
        Self { set: InstructionSet::chosen(), rule, learning_rate: 0.0, steps: 0, memory: Vec::new() }
    }

    /// Begins a step.
    pub fn next(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
        self.steps += 1;
    }

    fn update(&self) -> Update {
        let learning_rate = self.learning_rate;
        match self.rule {
            Rule::Sgd { momentum, nesterov, weight_decay } => {
                Update::Sgd(Sgd { learning_rate, momentum, nesterov, weight_decay })
            }
            Rule::AdamW { beta1, beta2, eps, weight_decay } => {
                Update::AdamW(AdamW { learning_rate, beta1, beta2, eps, weight_decay, step: self.steps })
            }
        }
    }
}

impl Updates {
    /// What the rule remembers of a tensor of this length.
    fn memory(&mut self, tensor: usize, length: usize) -> [&mut [f32]; 2] {
        let needs = self.update().needs();
        while self.memory.len() <= tensor {
            self.memory.push([Buffer::zeros(0), Buffer::zeros(0)]);
        }
        for (memory, needed) in self.memory[tensor].iter_mut().zip(needs) {
            if needed && memory.is_empty() {
                *memory = Buffer::zeros(length);
            }
        }
        let [first, second] = &mut self.memory[tensor];
        [first, second]
    }
}

impl Receive<f32> for Updates {
    fn receive(&mut self, tensor: usize, weights: &mut [f32], gradient: &[f32]) {
        let (set, update) = (self.set, self.update());
        update.step(set, weights, gradient, self.memory(tensor, weights.len()));
    }

    fn parts(&mut self, tensor: usize, length: usize) -> Option<Parts<'_, f32>> {
        let (set, update) = (self.set, self.update());
        let memory = self.memory(tensor, length);
        let part = move |weights: &mut [f32], memory: [&mut [f32]; 2], gradient: &[f32]| {
            update.step_part(set, weights, gradient, memory);
        };
        Some(Parts { memory, update: Box::new(part) })
    }
}
