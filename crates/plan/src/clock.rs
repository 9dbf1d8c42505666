//! Where the time of a step goes.

use std::time::{Duration, Instant};

/// The time of one step's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepTime {
    /// Forward, and once more where the backward pass asks for it.
    pub forward: Duration,
    /// Gradients of the inputs.
    pub inputs: Duration,
    /// Gradients of the weights, and what the receiver does with them.
    pub weights: Duration,
}

/// A part of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Forward,
    Inputs,
    Weights,
}

/// Adds up what each step took.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(crate) times: Vec<StepTime>,
}

impl Clock {
    pub(crate) fn new(steps: usize) -> Self {
        Self { times: vec![StepTime::default(); steps] }
    }

    pub(crate) fn add(&mut self, step: usize, part: Part, since: Instant) {
        let time = &mut self.times[step];
        let total = match part {
            Part::Forward => &mut time.forward,
            Part::Inputs => &mut time.inputs,
            Part::Weights => &mut time.weights,
        };
        *total += since.elapsed();
    }
}
