//! Watching a run.

use crate::training::{Epoch, Task};
use std::ops::ControlFlow;
use std::path::Path;

/// A run that is about to take its first step.
#[derive(Clone, Copy, Debug)]
pub struct Begin<'a> {
    /// What is trained, on what, and how.
    pub task: &'a Task<'a>,
    /// The run's folder, if it keeps one.
    pub folder: Option<&'a Path>,
    /// Epochs that an earlier part of this run has finished: 0 unless it is resumed.
    pub epochs_done: usize,
}

/// Where a run stands after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// Step within the epoch, counted from 1.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Images in this step.
    pub images: usize,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Accuracy on the training images of the epoch so far, from 0 to 1.
    pub accuracy: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
}

impl Step {
    /// Steps since the run began, this one included.
    pub fn done(&self) -> usize {
        self.epoch.saturating_sub(1).saturating_mul(self.steps).saturating_add(self.step)
    }

    /// Steps of the whole run.
    pub fn all(&self) -> usize {
        self.epochs.saturating_mul(self.steps)
    }
}

/// How far the evaluation after an epoch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// Test images that are done.
    pub images: usize,
    /// Test images there are.
    pub all: usize,
}

/// Something that watches a run.
pub trait Observer {
    /// Called once, before the first step.
    fn begin(&mut self, begin: &Begin<'_>) {
        let _ = begin;
    }

    /// Called after every step; `Break` stops the run.
    fn step(&mut self, step: &Step) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }

    /// Called after every batch of the evaluation that ends an epoch; `Break` stops the run, which then goes on with
    /// this evaluation when it is resumed.
    fn evaluation(&mut self, evaluation: &Evaluation) -> ControlFlow<()> {
        let _ = evaluation;
        ControlFlow::Continue(())
    }

    /// Whether the run should stop before its next batch is made, which may take long. Asked between two batches.
    fn stops(&mut self) -> bool {
        false
    }

    /// Called after every epoch, when it is evaluated and saved. `best` says whether it is the best so far.
    fn epoch(&mut self, epoch: &Epoch, best: bool) {
        let _ = (epoch, best);
    }
}

/// An observer that lets everything pass.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Observer for Silent {}

/// Observers that watch a run together, called in this order; any of them may stop it.
#[derive(Default)]
pub struct Observers<'a>(pub Vec<&'a mut dyn Observer>);

impl std::fmt::Debug for Observers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Observers({})", self.0.len())
    }
}

impl Observers<'_> {
    /// Asks all of them, also after one of them stops the run.
    fn all(&mut self, mut ask: impl FnMut(&mut dyn Observer) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        for observer in &mut self.0 {
            if ask(*observer).is_break() {
                flow = ControlFlow::Break(());
            }
        }
        flow
    }
}

impl Observer for Observers<'_> {
    fn begin(&mut self, begin: &Begin<'_>) {
        self.0.iter_mut().for_each(|observer| observer.begin(begin));
    }

    fn step(&mut self, step: &Step) -> ControlFlow<()> {
        self.all(|observer| observer.step(step))
    }

    fn evaluation(&mut self, evaluation: &Evaluation) -> ControlFlow<()> {
        self.all(|observer| observer.evaluation(evaluation))
    }

    fn stops(&mut self) -> bool {
        self.0.iter_mut().any(|observer| observer.stops())
    }

    fn epoch(&mut self, epoch: &Epoch, best: bool) {
        self.0.iter_mut().for_each(|observer| observer.epoch(epoch, best));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts steps, and stops at one.
    struct Stops(usize, usize);

    impl Observer for Stops {
        fn step(&mut self, _: &Step) -> ControlFlow<()> {
            self.0 += 1;
            if self.0 == self.1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    #[test]
    fn any_of_several_stops_the_run_and_all_see_the_step() {
        let (mut first, mut second) = (Stops(0, 2), Stops(0, 9));
        let (images, loss, accuracy, learning_rate) = (1, 1.0, 0.5, 0.1);
        let step = Step { epoch: 1, epochs: 1, step: 1, steps: 9, images, loss, accuracy, learning_rate };
        let mut both = Observers(vec![&mut first, &mut second]);
        assert!(both.step(&step).is_continue() && both.step(&step).is_break());
        let evaluation = Evaluation { epoch: 1, epochs: 1, images: 1, all: 2 };
        assert!(both.evaluation(&evaluation).is_continue() && !both.stops());
        assert_eq!((first.0, second.0), (2, 2));
    }
}
