//! The engine `plan`: the planned step on this project's own kernels, on the CPU.

use super::engine::Engine;
use super::times::milliseconds;
use super::workload::{Batch, LEARNING_RATE, MOMENTUM, Workload};
use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use cnn_core::{candle_core, lend};
use cnn_plan::{Batch as Images, Parameters, Plan, Targets, TrainingOptions};
use cnn_train::{Rule, Updates};

/// Forward passes, or steps of training as `cnn_train::train` takes them.
pub struct Planned {
    plan: Plan<f32>,
    parameters: Parameters<f32>,
    /// In training, what updates the weights.
    updates: Option<Updates>,
    names: Vec<(String, Vec<usize>)>,
    images: Tensor,
    labels: Vec<u32>,
    output: Option<Tensor>,
}

impl Planned {
    pub fn new(workload: &Workload, batch: Batch) -> Result<Self> {
        ensure!(workload.device.is_cpu(), "the engine plan computes on the CPU only");
        let network = &workload.network;
        let options =
            TrainingOptions { seed: workload.seed, recompute: workload.recompute, ..TrainingOptions::default() };
        let values = network.tensors().map(|spec| spec.init.draw(workload.seed, &spec.name, spec.elements()));
        Ok(Self {
            plan: if workload.train { Plan::training(network, options)? } else { Plan::evaluation(network) },
            parameters: Parameters::new(network, values)?,
            updates: workload.train.then(|| Updates::new(Rule::sgd(MOMENTUM))),
            names: network.tensors().map(|spec| (spec.name.clone(), spec.dims.clone())).collect(),
            labels: batch.labels.to_vec1()?,
            images: batch.images,
            output: None,
        })
    }
}

impl Engine for Planned {
    fn step(&mut self) -> Result<()> {
        let Self { plan, parameters, images, labels, .. } = self;
        self.output = Some(match &mut self.updates {
            None => {
                let logits = lend(images, |images| plan.logits(parameters, images))??;
                Tensor::from_slice(&logits, (labels.len(), logits.len() / labels.len()), &Device::Cpu)?
            }
            Some(updates) => {
                let targets = Targets::new(labels);
                let loss = lend(images, |images| plan.forward(parameters, &Images { images, targets }))??;
                updates.next(LEARNING_RATE);
                plan.backward(parameters, updates);
                Tensor::new(loss as f32, &Device::Cpu)?
            }
        });
        Ok(())
    }

    fn output(&self) -> Result<Tensor> {
        self.output.clone().context("no step was taken")
    }

    fn steps(&self) -> Vec<(String, &'static str, [f64; 3])> {
        let times = self.plan.times();
        times
            .map(|(path, work, time)| {
                (path.to_string(), work, [time.forward, time.inputs, time.weights].map(milliseconds))
            })
            .collect()
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let values = self.names.iter().zip(self.parameters.values());
        values
            .map(|((name, dims), value)| Ok((name.clone(), Tensor::from_slice(value, dims.as_slice(), &Device::Cpu)?)))
            .collect()
    }
}
