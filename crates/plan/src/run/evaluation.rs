//! Evaluation, from any number of threads.

use super::clock::StageTime;
use super::pass::{Dropout, Pass};
use super::workspace::RunWorkspace;
use crate::error::Result;
use crate::instances::Real;
use crate::parameters::Parameters;
use crate::plan::{EvaluationPlan, Plan};
use cnn_kernels::InstructionSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs a plan of evaluation. Threads share it: each call takes memory of its own, and gives it back for the next.
#[derive(Debug)]
pub struct Evaluation<T = f32> {
    plan: EvaluationPlan,
    set: InstructionSet,
    /// Memory that no call has at the moment.
    spare: Mutex<Vec<RunWorkspace<T>>>,
}

impl<T: Real> Evaluation<T> {
    /// What runs a plan.
    ///
    /// # Panics
    ///
    /// As [`InstructionSet::chosen`].
    pub fn new(plan: &EvaluationPlan) -> Self {
        Self { plan: plan.clone(), set: InstructionSet::chosen(), spare: Mutex::new(Vec::new()) }
    }

    /// The same on other instructions; for tests and measurements.
    #[must_use]
    pub fn on(self, set: InstructionSet) -> Self {
        Self { set, ..self }
    }

    /// The plan.
    pub fn plan(&self) -> &EvaluationPlan {
        &self.plan
    }

    /// The values of the plan's nodes for images `(N, C, H, W)`, each `(N, C, H, W)` or `(N, classes)`.
    ///
    /// # Errors
    ///
    /// Numbers that are no whole images, parameters of another network, a batch that memory does not hold.
    pub fn outputs(&self, parameters: &Parameters<T>, images: &[T]) -> Result<Vec<Vec<T>>> {
        let plan: &Plan = &self.plan;
        let batch = plan.batch_of(images.len())?;
        T::plan_check(parameters, plan)?;
        let mut workspace = self.spare().pop().unwrap_or_else(|| T::plan_workspace(plan));
        T::plan_prepare(&mut workspace, plan, batch)?;
        let (set, dropout) = (self.set, Dropout::default());
        T::plan_forward(&mut Pass { plan, workspace: &mut workspace, set, images, batch, dropout }, parameters);
        let outputs = 0..plan.lowered.outputs.len();
        let outputs = outputs.map(|number| T::plan_output(&workspace, plan, number, batch)).collect();
        self.spare().push(workspace);
        Ok(outputs)
    }

    /// What each stage has taken so far: the node it comes from, what it does, and the time.
    pub fn times(&self) -> Vec<(&str, &'static str, StageTime)> {
        let spare = self.spare();
        let total = |stage: usize| {
            spare.iter().fold(StageTime::default(), |total, workspace| total.plus(workspace.clock.times[stage]))
        };
        let stages = self.plan.lowered.stages.iter().enumerate();
        stages.map(|(number, stage)| (stage.path.as_str(), stage.work.name(), total(number))).collect()
    }

    fn spare(&self) -> MutexGuard<'_, Vec<RunWorkspace<T>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
