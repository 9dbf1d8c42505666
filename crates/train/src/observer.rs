//! Watching a run.

use crate::training::Epoch;
use std::ops::ControlFlow;

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

/// Something that watches a run.
pub trait Observer {
    /// Called after every step; `Break` stops the run.
    fn step(&mut self, step: &Step) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
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
