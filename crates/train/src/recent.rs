//! What the last steps of a run gave.

use crate::observer::StepReport;
use std::time::{Duration, Instant};

/// Figures over some steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Mean loss.
    pub loss: f64,
    /// Accuracy on the training images, from 0 to 1.
    pub accuracy: f64,
    /// Images per second, by the clock on the wall.
    pub images_per_second: f64,
}

/// The steps since the last look. A step carries the means of its epoch so far; their differences are the means of the
/// steps between, which a curve wants.
#[derive(Clone, Debug)]
pub struct Recent {
    epoch: usize,
    /// Images of the epoch, and the sums over them, up to the last step.
    seen: Sums,
    /// Since the last look.
    new: Sums,
    time: Duration,
    last: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    images: f64,
    loss: f64,
    correct: f64,
}

impl Default for Recent {
    fn default() -> Self {
        let (seen, new) = (Sums::default(), Sums::default());
        Self { epoch: 0, seen, new, time: Duration::ZERO, last: Instant::now() }
    }
}

impl Recent {
    /// Takes a step in.
    pub fn add(&mut self, step: &StepReport) {
        let images = step.images as f64;
        // Where an epoch is entered in its middle, what came before is told by the means alone.
        let begins = step.epoch != self.epoch;
        if begins {
            let before = (step.step - 1) as f64 * images;
            self.seen = Sums { images: before, loss: step.loss * before, correct: step.accuracy * before };
            self.epoch = step.epoch;
        }
        let all = self.seen.images + images;
        let now = Sums { images: all, loss: step.loss * all, correct: step.accuracy * all };
        self.new.images += images;
        self.new.loss += now.loss - self.seen.loss;
        self.new.correct += now.correct - self.seen.correct;
        self.seen = now;
        // Evaluation and saving lie between two epochs.
        if !begins {
            self.time += self.last.elapsed();
        }
        self.last = Instant::now();
    }

    /// The figures since the last look, and looks; `None` where there was no step.
    pub fn take(&mut self) -> Option<Figures> {
        let Sums { images, loss, correct } = std::mem::take(&mut self.new);
        let seconds = std::mem::take(&mut self.time).as_secs_f64();
        let images_per_second = if seconds > 0.0 { images / seconds } else { 0.0 };
        (images > 0.0).then(|| Figures { loss: loss / images, accuracy: correct / images, images_per_second })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(epoch: usize, step: usize, loss: f64) -> StepReport {
        StepReport { epoch, epochs: 2, step, steps: 4, images: 10, loss, accuracy: loss / 4.0, learning_rate: 0.1 }
    }

    #[test]
    fn means_so_far_become_means_between_looks() {
        let mut recent = Recent::default();
        // Steps with the losses 4, 2, 0 have the running means 4, 3, 2.
        recent.add(&step(1, 1, 4.0));
        let first = recent.take().unwrap();
        assert_eq!((first.loss, first.accuracy), (4.0, 1.0));
        recent.add(&step(1, 2, 3.0));
        recent.add(&step(1, 3, 2.0));
        assert_eq!(recent.take().unwrap().loss, 1.0);
        assert_eq!(recent.take(), None);
        recent.add(&step(2, 1, 1.0));
        assert_eq!(recent.take().unwrap().loss, 1.0);
    }

    #[test]
    fn an_epoch_may_be_entered_in_its_middle() {
        let mut recent = Recent::default();
        recent.add(&step(1, 3, 2.0));
        assert_eq!(recent.take().unwrap().loss, 2.0);
        recent.add(&step(1, 4, 3.0));
        assert_eq!(recent.take().unwrap().loss, 6.0);
    }
}
