//! The engine `plan`: the planned step on this project's own kernels, on the CPU.

use super::engine::Engine;
use super::times::milliseconds;
use super::workload::{Batch, LEARNING_RATE, MOMENTUM, Workload};
use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use cnn_core::Weights;
use cnn_core::{candle_core, lend};
use cnn_plan::{
    Dropout, Evaluation, EvaluationPlan, Parameters, StageTime, Targets, TrainingOptions, TrainingPlan, TrainingRun,
};
use cnn_train::{Rule, Updates};

/// Forward passes, or steps of training as `cnn_train::train` takes them.
pub struct Planned {
    run: Run,
    parameters: Parameters,
    names: Vec<(String, Vec<usize>)>,
    images: Tensor,
    labels: Vec<u32>,
    output: Option<Tensor>,
}

/// What runs the plan.
enum Run {
    Evaluation(Evaluation),
    /// With what updates the weights.
    Training(Box<TrainingRun>, Updates),
}

impl Planned {
    pub fn new(workload: &Workload, batch: Batch) -> Result<Self> {
        ensure!(workload.device.is_cpu(), "the engine plan computes on the CPU only");
        let network = &workload.network;
        let run = if workload.train {
            let options = TrainingOptions { recompute: workload.recompute, ..TrainingOptions::default() };
            let dropout = Dropout { seed: workload.seed, passes: 0 };
            let run = TrainingRun::new(&TrainingPlan::new(network, options)?, dropout);
            Run::Training(Box::new(run), Updates::new(Rule::sgd(MOMENTUM)))
        } else {
            Run::Evaluation(Evaluation::new(&EvaluationPlan::new(network)?))
        };
        Ok(Self {
            run,
            parameters: Parameters::new(network, &Weights::initialised(network, workload.seed))?,
            names: network.tensors().map(|spec| (spec.name.clone(), spec.dims.clone())).collect(),
            labels: batch.labels.to_vec1()?,
            images: batch.images,
            output: None,
        })
    }
}

impl Engine for Planned {
    fn step(&mut self) -> Result<()> {
        let Self { run, parameters, images, labels, .. } = self;
        self.output = Some(match run {
            Run::Evaluation(evaluation) => {
                let logits = lend(images, |images| evaluation.outputs(parameters, images))??.swap_remove(0);
                Tensor::from_slice(&logits, (labels.len(), logits.len() / labels.len()), &Device::Cpu)?
            }
            Run::Training(run, updates) => {
                let forward = lend(images, |images| run.forward(parameters, images))??;
                let loss = forward.cross_entropy(&Targets::new(labels))?;
                updates.next(LEARNING_RATE);
                forward.backward(&loss.gradients, updates);
                Tensor::new(loss.value as f32, &Device::Cpu)?
            }
        });
        Ok(())
    }

    fn output(&self) -> Result<Tensor> {
        self.output.clone().context("no step was taken")
    }

    fn steps(&self) -> Vec<(String, &'static str, [f64; 3])> {
        let line = |(path, work, time): (&str, &'static str, StageTime)| {
            (path.to_string(), work, [time.forward, time.inputs, time.weights].map(milliseconds))
        };
        match &self.run {
            Run::Evaluation(evaluation) => evaluation.times().into_iter().map(line).collect(),
            Run::Training(run, _) => run.times().map(line).collect(),
        }
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let values = self.names.iter().zip(self.parameters.values());
        values
            .map(|((name, dims), value)| Ok((name.clone(), Tensor::from_slice(value, dims.as_slice(), &Device::Cpu)?)))
            .collect()
    }
}
