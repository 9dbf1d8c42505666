//! Evaluation with a backward pass to nodes.

use super::loss::OutputGradients;
use super::pass::{Dropout, Pass};
use super::workspace::RunWorkspace;
use crate::error::Result;
use crate::instances::Real;
use crate::parameters::{Parameters, Receive};
use crate::plan::GradientPlan;
use cnn_kernels::InstructionSet;
use cnn_network::network::NodeId;

/// Runs a plan of gradients with respect to nodes. It owns the memory of a pass.
///
/// ```
/// use cnn_network::definition::{chain, linear};
/// use cnn_plan::{GradientPlan, GradientRun, Parameters};
/// use cnn_weights::{Tensor, Weights};
///
/// let network = chain().flatten().then("fc", linear(2)).named("tiny", [1, 1, 2]).at_usual_input()?;
/// let mut weights = Weights::new();
/// weights.insert("fc.weight", Tensor::new("fc.weight", &[2, 2], vec![1.0f32, 2.0, 3.0, 4.0])?);
/// weights.insert("fc.bias", Tensor::new("fc.bias", &[2], vec![0.0f32, 0.0])?);
/// let mut parameters = Parameters::new(&network, &weights)?;
///
/// let (input, logits) = (network.find("input")?, network.find("fc")?);
/// let mut run = GradientRun::new(&GradientPlan::new(&network, &[logits], &[input])?);
/// let forward = run.forward(&mut parameters, &[5.0f32, 6.0])?;
/// assert_eq!(forward.output(0), [17.0, 39.0]);
/// let second = forward.gradients(&[Some(&[0.0, 1.0])])?;
/// let mut found = Vec::new();
/// forward.backward(&second, &mut |_node, gradient: &mut [f32]| found = gradient.to_vec())?;
/// assert_eq!(found, [3.0, 4.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct GradientRun<T = f32> {
    plan: GradientPlan,
    set: InstructionSet,
    workspace: RunWorkspace<T>,
}

/// A forward pass in evaluation mode that has been run: its outputs, and the one backward pass that belongs to it.
#[derive(Debug)]
#[must_use = "a forward pass is for its outputs or its backward pass"]
pub struct GradientForward<'r, T = f32> {
    run: &'r mut GradientRun<T>,
    parameters: &'r mut Parameters<T>,
    batch: usize,
}

impl<T: Real> GradientRun<T> {
    /// A run before its first pass.
    ///
    /// # Panics
    ///
    /// As [`InstructionSet::chosen`].
    pub fn new(plan: &GradientPlan) -> Self {
        Self { plan: plan.clone(), set: InstructionSet::chosen(), workspace: T::plan_workspace(plan) }
    }

    /// The plan.
    pub fn plan(&self) -> &GradientPlan {
        &self.plan
    }

    /// A forward pass over images `(N, C, H, W)`, in evaluation mode. The parameters stay as they are; they are held so
    /// that the backward pass meets the same.
    ///
    /// # Errors
    ///
    /// Numbers that are no whole images, parameters of another network, a batch that memory does not hold.
    pub fn forward<'r>(
        &'r mut self,
        parameters: &'r mut Parameters<T>,
        images: &[T],
    ) -> Result<GradientForward<'r, T>> {
        let batch = self.plan.batch_of(images.len())?;
        T::plan_check(parameters, &self.plan)?;
        T::plan_prepare(&mut self.workspace, &self.plan, batch)?;
        T::plan_forward(&mut self.pass(images, batch), parameters);
        Ok(GradientForward { run: self, parameters, batch })
    }

    fn pass<'a>(&'a mut self, images: &'a [T], batch: usize) -> Pass<'a, T> {
        let Self { plan, set, workspace } = self;
        Pass { plan, workspace, set: *set, images, batch, dropout: Dropout::default() }
    }
}

impl<T: Real> GradientForward<'_, T> {
    /// The value of target number `target` of the plan, `(N, C, H, W)` or `(N, classes)`.
    ///
    /// # Panics
    ///
    /// Where there is no such target.
    pub fn output(&self, target: usize) -> Vec<T> {
        T::plan_output(&self.run.workspace, &self.run.plan, target, self.batch)
    }

    /// Where the backward pass begins: for each target, in the order of [`GradientForward::output`], its gradient in the
    /// layout in which it was given, or `None`.
    ///
    /// # Errors
    ///
    /// More gradients than targets, or one of another length than its target.
    pub fn gradients(&self, of_outputs: &[Option<&[T]>]) -> Result<OutputGradients<T>> {
        T::plan_output_gradients(&self.run.plan, self.batch, of_outputs)
    }

    /// The backward pass: the gradient of every node that the plan was asked for goes to `receiver` once, `(N, C, H, W)`,
    /// the last node first. What the receiver changes in it is what the nodes before get.
    ///
    /// # Errors
    ///
    /// Gradients of another pass: of more or other outputs, or of another number of images.
    pub fn backward(self, gradients: &OutputGradients<T>, receiver: &mut dyn FnMut(NodeId, &mut [T])) -> Result<()> {
        let Self { run, parameters, batch } = self;
        gradients.check(&run.plan, batch)?;
        T::plan_backward(&mut run.pass(&[], batch), parameters, gradients, &mut Nodes(receiver));
        Ok(())
    }
}

/// Receives gradients of nodes.
struct Nodes<'a, T>(&'a mut dyn FnMut(NodeId, &mut [T]));

impl<T> Receive<T> for Nodes<'_, T> {
    /// Nothing is trained.
    fn receive(&mut self, _: usize, _: &mut [T], _: &[T]) {}

    fn node(&mut self, node: NodeId, gradient: &mut [T]) {
        (self.0)(node, gradient);
    }
}
