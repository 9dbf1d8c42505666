//! Training steps.

use super::clock::StageTime;
use super::loss::{Loss, OutputGradients};
use super::maps::check_batch;
use super::pass::{Dropout, Pass};
use super::workspace::RunWorkspace;
use crate::error::Result;
use crate::instances::Real;
use crate::parameters::{Parameters, Receive};
use crate::plan::TrainingPlan;
use cnn_kernels::InstructionSet;
use cnn_kernels::loss::Targets;

/// Runs a plan of training steps. It owns the memory of a step, and counts the passes.
///
/// ```
/// use cnn_network::definition::{chain, linear};
/// use cnn_plan::{Dropout, Parameters, Targets, TrainingOptions, TrainingPlan, TrainingRun};
/// use cnn_weights::Weights;
///
/// let network = chain().flatten().then("fc", linear(2)).named("tiny", [1, 2, 2]).at_usual_input()?;
/// let plan = TrainingPlan::new(&network, TrainingOptions::default())?;
/// let mut run = TrainingRun::new(&plan, Dropout::default());
/// let mut parameters = Parameters::new(&network, &Weights::initialised(&network, 7))?;
///
/// let (images, labels) = ([0.0f32, 0.5, 1.0, 0.2, 0.9, 0.1, 0.0, 0.4], [0, 1]);
/// let mut losses = Vec::new();
/// for _ in 0..10 {
///     let forward = run.forward(&mut parameters, &images)?;
///     let loss = forward.cross_entropy(&Targets::new(&labels))?;
///     losses.push(loss.value);
///     // Gradient descent: each gradient arrives with its tensor, which may be changed at once.
///     forward.backward(&loss.gradients, &mut |_tensor: usize, weights: &mut [f32], gradient: &[f32]| {
///         weights.iter_mut().zip(gradient).for_each(|(weight, gradient)| *weight -= 0.5 * gradient);
///     })?;
/// }
/// assert!(losses[9] < losses[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TrainingRun<T = f32> {
    pub(super) plan: TrainingPlan,
    set: InstructionSet,
    pub(super) workspace: RunWorkspace<T>,
    pub(super) dropout: Dropout,
}

/// A forward pass that has been run: its outputs, and the one backward pass that belongs to it.
///
/// It holds the run and the parameters, so that neither can be used for anything else before the backward pass; and the
/// backward pass consumes it.
#[derive(Debug)]
#[must_use = "a forward pass is for its outputs or its backward pass"]
pub struct Forward<'r, T = f32> {
    run: &'r mut TrainingRun<T>,
    parameters: &'r mut Parameters<T>,
    images: &'r [T],
    batch: usize,
}

impl<T: Real> TrainingRun<T> {
    /// A run before its first step.
    ///
    /// # Panics
    ///
    /// As [`InstructionSet::chosen`].
    pub fn new(plan: &TrainingPlan, dropout: Dropout) -> Self {
        Self { plan: plan.clone(), set: InstructionSet::chosen(), workspace: T::plan_workspace(plan), dropout }
    }

    /// The same on other instructions; for tests and measurements.
    #[must_use]
    pub fn on(self, set: InstructionSet) -> Self {
        Self { set, ..self }
    }

    /// The plan.
    pub fn plan(&self) -> &TrainingPlan {
        &self.plan
    }

    /// Training passes so far.
    pub fn passes(&self) -> u64 {
        self.dropout.passes
    }

    /// Has the next pass draw dropout's masks as pass `passes` of the run.
    pub fn go_on_from(&mut self, passes: u64) {
        self.dropout.passes = passes;
    }

    /// What each stage has taken so far: the node it comes from, what it does, and the time.
    pub fn times(&self) -> impl Iterator<Item = (&str, String, StageTime)> {
        let stages = self.plan.lowered.stages.iter().zip(&self.workspace.clock.times);
        stages.map(|(stage, time)| (stage.path.as_str(), stage.described(self.workspace.capacity), *time))
    }

    /// A forward pass over images `(N, C, H, W)`, in training mode: it moves the running statistics. Neither pass copies the
    /// images where convolutions alone read them.
    ///
    /// # Errors
    ///
    /// Numbers that are no whole images, parameters of another network, batch normalisation over a single value, a batch
    /// that memory does not hold. Then nothing has changed.
    pub fn forward<'r>(&'r mut self, parameters: &'r mut Parameters<T>, images: &'r [T]) -> Result<Forward<'r, T>> {
        let batch = self.plan.batch_of(images.len())?;
        T::plan_check(parameters, &self.plan)?;
        check_batch(&self.plan, batch)?;
        T::plan_prepare(&mut self.workspace, &self.plan, batch)?;
        T::plan_forward(&mut self.pass(images, batch), parameters);
        T::plan_move_statistics(&self.plan, &self.workspace, batch, parameters);
        self.dropout.passes += 1;
        Ok(Forward { run: self, parameters, images, batch })
    }

    pub(super) fn pass<'a>(&'a mut self, images: &'a [T], batch: usize) -> Pass<'a, T> {
        let Self { plan, set, workspace, dropout } = self;
        Pass { plan, workspace, set: *set, images, batch, dropout: *dropout }
    }
}

impl<T: Real> Forward<'_, T> {
    /// Output number `output`, `(N, C, H, W)` or `(N, classes)`: the network's outputs first, then the nodes that the plan
    /// was asked for.
    ///
    /// # Panics
    ///
    /// Where there is no such output.
    pub fn output(&self, output: usize) -> Vec<T> {
        T::plan_output(&self.run.workspace, &self.run.plan, output, self.batch)
    }

    /// The parameters, with the statistics that the pass has moved.
    pub fn parameters(&self) -> &Parameters<T> {
        self.parameters
    }

    /// The mean cross-entropy of the logits, plus that of each auxiliary head times the weight its source gives it.
    ///
    /// # Errors
    ///
    /// As [`Plan::check_targets`](crate::Plan::check_targets).
    pub fn cross_entropy(&self, targets: &Targets<'_>) -> Result<Loss<T>> {
        let TrainingRun { plan, set, workspace, .. } = &*self.run;
        T::plan_loss_of_outputs(plan, *set, self.batch, targets, workspace)
    }

    /// The gradients of a loss of your own: for each output, in the order of [`Forward::output`], its gradient in the
    /// layout in which the output was given, or `None` where the loss does not depend on it.
    ///
    /// # Errors
    ///
    /// More gradients than outputs, or one of another length than its output.
    pub fn gradients(&self, of_outputs: &[Option<&[T]>]) -> Result<OutputGradients<T>> {
        T::plan_output_gradients(&self.run.plan, self.batch, of_outputs)
    }

    /// The backward pass: every gradient of a tensor goes to `receiver` once, and its tensor may be changed there.
    ///
    /// # Errors
    ///
    /// Gradients of another pass: of more or other outputs, or of another number of images. No gradient is received then.
    pub fn backward(self, gradients: &OutputGradients<T>, receiver: &mut dyn Receive<T>) -> Result<()> {
        let Self { run, parameters, images, batch } = self;
        gradients.check(&run.plan, batch)?;
        T::plan_backward(&mut run.pass(images, batch), parameters, gradients, receiver);
        Ok(())
    }
}

/// One backward pass belongs to each forward pass:
///
/// ```
/// use cnn_plan::{OutputGradients, Parameters, TrainingRun, Receive};
/// fn once(run: &mut TrainingRun, parameters: &mut Parameters, images: &[f32], gradients: &OutputGradients, receiver: &mut dyn Receive<f32>) {
///     let forward = run.forward(parameters, images).unwrap();
///     forward.backward(gradients, receiver).unwrap();
///     parameters.value_mut(0)[0] = 1.0;
/// }
/// ```
///
/// What cannot be written: one without a forward pass, two for one, one of parameters that changed in between, one of an
/// evaluation.
///
/// ```compile_fail,E0599
/// use cnn_plan::{OutputGradients, Parameters, TrainingRun, Receive};
/// fn without(run: &mut TrainingRun, gradients: &OutputGradients, receiver: &mut dyn Receive<f32>) {
///     run.backward(gradients, receiver).unwrap();
/// }
/// ```
///
/// ```compile_fail,E0382
/// use cnn_plan::{OutputGradients, Parameters, TrainingRun, Receive};
/// fn twice(run: &mut TrainingRun, parameters: &mut Parameters, images: &[f32], gradients: &OutputGradients, receiver: &mut dyn Receive<f32>) {
///     let forward = run.forward(parameters, images).unwrap();
///     forward.backward(gradients, receiver).unwrap();
///     forward.backward(gradients, receiver).unwrap();
/// }
/// ```
///
/// ```compile_fail,E0499
/// use cnn_plan::{OutputGradients, Parameters, TrainingRun, Receive};
/// fn changed_between(run: &mut TrainingRun, parameters: &mut Parameters, images: &[f32], gradients: &OutputGradients, receiver: &mut dyn Receive<f32>) {
///     let forward = run.forward(parameters, images).unwrap();
///     parameters.value_mut(0)[0] = 1.0;
///     forward.backward(gradients, receiver).unwrap();
/// }
/// ```
///
/// ```compile_fail,E0599
/// use cnn_plan::{Evaluation, OutputGradients, Parameters, Receive};
/// fn of_an_evaluation(run: &Evaluation, parameters: &mut Parameters, images: &[f32], gradients: &OutputGradients, receiver: &mut dyn Receive<f32>) {
///     let outputs = run.outputs(parameters, images).unwrap();
///     outputs.backward(gradients, receiver).unwrap();
/// }
/// ```
#[cfg(doctest)]
struct Misuse;
