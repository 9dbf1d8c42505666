//! Where the time goes.

use std::time::{Duration, Instant};

/// The time of a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageTime {
    /// Forward, and once more where the backward pass asks for it.
    pub forward: Duration,
    /// Gradients of the inputs.
    pub inputs: Duration,
    /// Gradients of the weights, and what the receiver does with them.
    pub weights: Duration,
}

/// A part of a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Forward,
    Inputs,
    Weights,
}

/// Adds up what each stage took.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(crate) times: Vec<StageTime>,
}

impl Clock {
    pub(crate) fn new(stages: usize) -> Self {
        Self { times: vec![StageTime::default(); stages] }
    }

    pub(crate) fn add(&mut self, stage: usize, part: Part, since: Instant) {
        let time = &mut self.times[stage];
        let total = match part {
            Part::Forward => &mut time.forward,
            Part::Inputs => &mut time.inputs,
            Part::Weights => &mut time.weights,
        };
        *total += since.elapsed();
    }
}

impl StageTime {
    /// The sum of two.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            forward: self.forward + other.forward,
            inputs: self.inputs + other.inputs,
            weights: self.weights + other.weights,
        }
    }
}
