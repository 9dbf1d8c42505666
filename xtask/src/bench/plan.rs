//! The engine `plan`: the inference plan or the planned step of training, on this project's own kernels, on the CPU.

use super::engine::Engine;
use super::times::milliseconds;
use super::workload::{Batch, LEARNING_RATE, MOMENTUM, Workload};
use anyhow::{Context, Result, ensure};
use cnn_core::weights::Tensor;
use cnn_core::{Network, Weights};
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
    images: Vec<f32>,
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

/// The plan of a workload, from the folder of the saved one if it is there.
pub fn plan_of(workload: &Workload, images: &[f32]) -> Result<InferencePlan> {
    let network = &workload.network;
    let options = InferenceOptions::default().usual_batch(workload.batch).numeric(workload.numeric);
    if workload.numeric != Numeric::Int8 {
        return Ok(InferencePlan::new(network, &workload.weights()?, options)?);
    }
    let files = workload.saved.as_ref().map(|folder| [folder.join("scales.json"), folder.join("plan")]);
    if let Some([scales, plan]) = files.as_ref().filter(|[_, plan]| plan.exists()) {
        return Ok(InferencePlan::open(plan, network, None, options.int8(&Calibration::read(scales)?))?);
    }
    let weights = workload.weights()?;
    let calibration = calibration(network, &weights, images)?;
    let made = InferencePlan::new(network, &weights, options.int8(&calibration))?;
    let Some([scales, plan]) = files else { return Ok(made) };
    calibration.write(scales)?;
    made.save(&plan)?;
    drop(made);
    // What is written is what answers, also in this process.
    Ok(InferencePlan::open(plan, network, Some(&weights), options.int8(&calibration))?)
}

/// The scales of a batch's own values: the time does not depend on them.
fn calibration(network: &Network, weights: &Weights, images: &[f32]) -> Result<Calibration> {
    let mut calibrator = Calibrator::new(network, weights)?;
    let few = MOST_IMAGES * network.input().elements();
    calibrator.observe(&images[..few.min(images.len())])?;
    Ok(calibrator.calibration()?)
}

impl Engine for Inference {
    fn step(&mut self) -> Result<()> {
        let Self { plan, workspace, images, logits, .. } = self;
        Ok(plan.run(workspace, images, &mut [logits.as_mut_slice()])?)
    }

    fn output(&self) -> Result<(Vec<usize>, Vec<f32>)> {
        Ok((vec![self.batch, self.logits.len() / self.batch], self.logits.clone()))
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
    images: Vec<f32>,
    labels: Vec<u32>,
    loss: Option<f32>,
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
            labels: batch.labels,
            images: batch.images,
            loss: None,
        })
    }
}

impl Engine for Planned {
    fn step(&mut self) -> Result<()> {
        let Self { run, updates, parameters, images, labels, .. } = self;
        let forward = run.forward(parameters, images)?;
        let loss = forward.cross_entropy(&Targets::new(labels))?;
        updates.next(LEARNING_RATE);
        forward.backward(&loss.gradients, updates)?;
        self.loss = Some(loss.value as f32);
        Ok(())
    }

    fn output(&self) -> Result<(Vec<usize>, Vec<f32>)> {
        Ok((Vec::new(), vec![self.loss.context("no step was taken")?]))
    }

    fn steps(&self) -> Vec<(String, String, [f64; 3])> {
        let line = |(path, work, time): (&str, String, StageTime)| {
            (path.to_string(), work, [time.forward, time.inputs, time.weights].map(milliseconds))
        };
        self.run.times().map(line).collect()
    }

    fn tensors(&self) -> Result<Weights> {
        let mut tensors = Weights::new();
        for ((name, dims), value) in self.names.iter().zip(self.parameters.values()) {
            tensors.insert(name.clone(), Tensor::new(name, dims, value.to_vec())?);
        }
        Ok(tensors)
    }
}
