//! How fast a run goes, and how long it will take.

use cnn_train::{Evaluation, StepReport};
use std::time::{Duration, Instant};

/// Before anything was judged, an image is taken to be judged in this share of the time it is trained on: a step goes
/// forward and, at twice the cost, backward.
const SHARE: f64 = 1.0 / 3.0;

/// What this process has done so far, and in what time.
pub struct Pace {
    steps: usize,
    /// Steps of an epoch.
    of_epoch: usize,
    images: usize,
    training: Duration,
    judged: usize,
    judging: Duration,
    /// Images that are judged after each epoch.
    to_judge: usize,
    /// Of the evaluation under way.
    judged_now: usize,
    last: Instant,
}

impl Pace {
    /// Of a run that begins now, and judges so many images after each epoch.
    pub fn new(to_judge: usize) -> Self {
        let none = Duration::ZERO;
        Self {
            steps: 0,
            of_epoch: 0,
            images: 0,
            training: none,
            judged: 0,
            judging: none,
            to_judge,
            judged_now: 0,
            last: Instant::now(),
        }
    }

    pub fn step(&mut self, step: &StepReport) {
        let passed = self.passed();
        self.training += passed;
        self.steps = self.steps.saturating_add(1);
        self.of_epoch = step.steps;
        self.images = self.images.saturating_add(step.images);
        self.judged_now = 0;
    }

    pub fn evaluation(&mut self, evaluation: &Evaluation) {
        let passed = self.passed();
        self.judging += passed;
        self.judged = self.judged.saturating_add(evaluation.images.saturating_sub(self.judged_now));
        self.judged_now = evaluation.images;
    }

    /// What comes after an evaluation is neither training nor judging.
    pub fn epoch(&mut self) {
        self.passed();
        self.judged_now = 0;
    }

    fn passed(&mut self) -> Duration {
        let passed = self.last.elapsed();
        self.last = Instant::now();
        passed
    }

    pub fn images_per_second(&self) -> f64 {
        self.images as f64 / self.training.as_secs_f64().max(1e-9)
    }

    pub fn judged_per_second(&self) -> f64 {
        self.judged as f64 / self.judging.as_secs_f64().max(1e-9)
    }

    /// Seconds until the end, judging included, if what is to come takes as long as what was done.
    pub fn left(&self, step: &StepReport) -> f64 {
        let steps = step.all().saturating_sub(step.done());
        let epochs = step.epochs.saturating_sub(step.epoch.saturating_sub(1));
        self.of_steps(steps as f64) + self.of_judging(epochs as f64 * self.to_judge as f64)
    }

    /// The same during an evaluation.
    pub fn left_while_judging(&self, evaluation: &Evaluation) -> f64 {
        let epochs = evaluation.epochs.saturating_sub(evaluation.epoch) as f64;
        let here = evaluation.all.saturating_sub(evaluation.images) as f64;
        self.of_steps(epochs * self.of_epoch as f64) + self.of_judging(here + epochs * evaluation.all as f64)
    }

    fn of_steps(&self, steps: f64) -> f64 {
        self.training.as_secs_f64() * steps / self.steps.max(1) as f64
    }

    fn of_judging(&self, images: f64) -> f64 {
        let one = match self.judged {
            0 => SHARE * self.training.as_secs_f64() / self.images.max(1) as f64,
            judged => self.judging.as_secs_f64() / judged as f64,
        };
        images * one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(epoch: usize, step: usize) -> StepReport {
        let (loss, accuracy, learning_rate) = (1.0, 0.5, 0.1);
        StepReport { epoch, epochs: 3, step, steps: 10, images: 8, loss, accuracy, learning_rate }
    }

    /// A second a step, and half a second for each image that is judged.
    fn pace(steps: usize, judged: usize) -> Pace {
        let (training, judging) = (Duration::from_secs(steps as u64), Duration::from_millis(500 * judged as u64));
        Pace { steps, of_epoch: 10, images: 8 * steps, training, judged, judging, ..Pace::new(20) }
    }

    #[test]
    fn what_is_left_includes_the_judging() {
        // 25 steps are left, and 20 images after each of three epochs, at a third of an eighth of a second.
        let first = pace(5, 0).left(&step(1, 5));
        assert!((first - (25.0 + 60.0 / 24.0)).abs() < 1e-9, "{first}");
        let second = pace(15, 20).left(&step(2, 5));
        assert!((second - (15.0 + 40.0 * 0.5)).abs() < 1e-9, "{second}");
        let evaluation = Evaluation { epoch: 2, epochs: 3, images: 5, all: 20 };
        let judging = pace(20, 25).left_while_judging(&evaluation);
        assert!((judging - (10.0 + 35.0 * 0.5)).abs() < 1e-9, "{judging}");
    }
}
