//! The engine `plan`: the inference plan or the planned step of training, on this project's own kernels, on the CPU.

use super::engine::Engine;
use super::times::milliseconds;
use super::workload::{Batch, LEARNING_RATE, MOMENTUM, Workload};
use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use cnn_core::{Network, Weights};
use cnn_core::{candle_core, lend};
use cnn_plan::{
    Calibration, Calibrator, Dropout, InferenceOptions, InferencePlan, Numeric, Parameters, StageTime, StepReport,
    Targets, TrainingOptions, TrainingPlan, TrainingRun, Workspace,
};
use cnn_train::{Rule, Updates};

/// Images that scales are found on.
const MOST_IMAGES: usize = 4;

/// Forward passes of the inference plan.
pub struct Inference {
    plan: InferencePlan,
    workspace: Workspace,
    images: Tensor,
    /// `(N, classes)`, and how many there are.
    logits: Vec<f32>,
    batch: usize,
}

impl Inference {
    pub fn new(workload: &Workload, batch: Batch) -> Result<Self> {
        ensure!(workload.device.is_cpu(), "the engine plan computes on the CPU only");
        let plan = plan_of(workload, &batch.images)?;
        let mut workspace = plan.workspace(workload.batch)?;
        if workload.measured {
            workspace.measure();
        }
        let logits = vec![0.0; workload.batch * plan.output_len(0)];
        Ok(Self { plan, workspace, images: batch.images, logits, batch: workload.batch })
    }
}

/// The plan of a workload.
pub fn plan_of(workload: &Workload, images: &Tensor) -> Result<InferencePlan> {
    let network = &workload.network;
    let weights = workload.weights()?;
    let options = InferenceOptions::default().usual_batch(workload.batch).numeric(workload.numeric);
    let calibration = match workload.numeric {
        Numeric::Int8 => Some(calibration(network, &weights, images)?),
        _ => None,
    };
    let options = calibration.as_ref().map_or(options, |calibration| options.int8(calibration));
    Ok(InferencePlan::new(network, &weights, options)?)
}

/// The scales of a batch's own values: the time does not depend on them.
fn calibration(network: &Network, weights: &Weights, images: &Tensor) -> Result<Calibration> {
    let mut calibrator = Calibrator::new(network, weights)?;
    let few = MOST_IMAGES * network.input().elements();
    lend(images, |images| calibrator.observe(&images[..few.min(images.len())]))??;
    Ok(calibrator.calibration()?)
}

impl Engine for Inference {
    fn step(&mut self) -> Result<()> {
        let Self { plan, workspace, images, logits, .. } = self;
        Ok(lend(images, |images| plan.run(workspace, images, &mut [logits.as_mut_slice()]))??)
    }

    fn output(&self) -> Result<Tensor> {
        Ok(Tensor::from_slice(&self.logits, (self.batch, self.logits.len() / self.batch), &Device::Cpu)?)
    }

    fn steps(&self) -> Vec<(String, String, [f64; 3])> {
        let line = |step: StepReport<'_>| {
            (step.path.to_string(), step.algorithm.to_string(), [milliseconds(step.measured), 0.0, 0.0])
        };
        self.explained().into_iter().map(line).collect()
    }

    fn explained(&self) -> Vec<StepReport<'_>> {
        self.plan.report(&self.workspace, self.batch)
    }
}

/// Steps of training as `cnn_train::train` takes them.
pub struct Planned {
    run: TrainingRun,
    updates: Updates,
    parameters: Parameters,
    names: Vec<(String, Vec<usize>)>,
    images: Tensor,
    labels: Vec<u32>,
    output: Option<Tensor>,
}

impl Planned {
    pub fn new(workload: &Workload, batch: Batch) -> Result<Self> {
        ensure!(workload.device.is_cpu(), "the engine plan computes on the CPU only");
        let network = &workload.network;
        let (recompute, numeric) = (workload.recompute, workload.numeric);
        let options = TrainingOptions { recompute, numeric, ..TrainingOptions::default() };
        let dropout = Dropout { seed: workload.seed, passes: 0 };
        Ok(Self {
            run: TrainingRun::new(&TrainingPlan::new(network, options)?, dropout),
            updates: Updates::new(Rule::sgd(MOMENTUM)),
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
        let Self { run, updates, parameters, images, labels, .. } = self;
        let loss = lend(images, |images| -> Result<f64> {
            let forward = run.forward(parameters, images)?;
            let loss = forward.cross_entropy(&Targets::new(labels))?;
            updates.next(LEARNING_RATE);
            forward.backward(&loss.gradients, updates);
            Ok(loss.value)
        })??;
        self.output = Some(Tensor::new(loss as f32, &Device::Cpu)?);
        Ok(())
    }

    fn output(&self) -> Result<Tensor> {
        self.output.clone().context("no step was taken")
    }

    fn steps(&self) -> Vec<(String, String, [f64; 3])> {
        let line = |(path, work, time): (&str, String, StageTime)| {
            (path.to_string(), work, [time.forward, time.inputs, time.weights].map(milliseconds))
        };
        self.run.times().map(line).collect()
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let values = self.names.iter().zip(self.parameters.values());
        values
            .map(|((name, dims), value)| Ok((name.clone(), Tensor::from_slice(value, dims.as_slice(), &Device::Cpu)?)))
            .collect()
    }
}
