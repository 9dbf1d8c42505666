//! Watching a run.

use crate::changes::Change;
use crate::classify::Classify;
use crate::epoch::Epoch;
use crate::error::Result;
use crate::predictions::{Predictions, predict};
use crate::task::Task;
use cnn_data::Loader;
use cnn_weights::{BorrowedWeights, Weights};
use std::cell::OnceCell;
use std::fmt;
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
    /// Steps that it has taken in the epoch after them.
    pub steps_done: usize,
    /// Learning rate of the step to come.
    pub learning_rate: f64,
    /// Settings that are others than in that part.
    pub changes: &'a [Change],
}

/// Where a run stands after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
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

impl StepReport {
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

/// How a run is stopped after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// At once: a checkpoint is kept, and the run ends with [`Error::Interrupted`](crate::Error::Interrupted).
    Interrupt,
    /// Well: the epoch ends here and is evaluated and kept, and the run ends as one that is finished.
    Finish,
}

/// The network after an epoch, as it is judged and kept: with a moving average, the averaged one.
pub struct Judged<'a> {
    /// The epoch's figures.
    pub figures: &'a Epoch,
    /// Whether it is the best epoch so far.
    pub best: bool,
    pub(crate) model: &'a dyn Classify,
    pub(crate) weights: &'a dyn Fn() -> Result<BorrowedWeights<'a>>,
    pub(crate) test: &'a Loader<'a>,
    pub(crate) predictions: OnceCell<Predictions>,
}

impl Judged<'_> {
    /// The class scores `(N, classes)` of prepared images `(N, C, H, W)`.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        self.model.logits(images)
    }

    /// The network's weights, copied.
    ///
    /// # Errors
    ///
    /// Those of the device.
    pub fn weights(&self) -> Result<Weights> {
        Ok((self.weights)()?.into_weights())
    }

    /// What the network says of the test images. It was kept from the evaluation if the task has metrics; else the first
    /// call goes through the test images once more.
    ///
    /// # Errors
    ///
    /// Those of the network and the loader.
    pub fn predictions(&self) -> Result<&Predictions> {
        match self.predictions.get() {
            Some(predictions) => Ok(predictions),
            None => {
                let predictions = predict(self.model, self.test)?;
                Ok(self.predictions.get_or_init(|| predictions))
            }
        }
    }
}

impl fmt::Debug for Judged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged").field("figures", self.figures).field("best", &self.best).finish_non_exhaustive()
    }
}

/// Something that watches a run.
///
/// ```
/// use cnn_train::{Judged, Observer};
/// use std::ops::ControlFlow;
///
/// /// Ends a run as soon as no class is forgotten.
/// struct EveryClass;
///
/// impl Observer for EveryClass {
///     fn judged(&mut self, judged: &Judged<'_>) -> ControlFlow<()> {
///         let Ok(predictions) = judged.predictions() else { return ControlFlow::Continue(()) };
///         let mut found = vec![false; predictions.classes()];
///         predictions.predicted().for_each(|(class, _)| found[class as usize] = true);
///         if found.iter().all(|found| *found) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
///     }
/// }
/// # let _: &dyn Observer = &EveryClass;
/// ```
pub trait Observer {
    /// Called once, before the first step.
    fn begin(&mut self, begin: &Begin<'_>) {
        let _ = begin;
    }

    /// Called after every step; `Break` stops the run, in the way it says.
    fn step(&mut self, step: &StepReport) -> ControlFlow<Stop> {
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

    /// Called after every epoch, when it is evaluated and being written, with the network and what it says; `Break` ends the run
    /// here, as one that is finished.
    fn judged(&mut self, judged: &Judged<'_>) -> ControlFlow<()> {
        let _ = judged;
        ControlFlow::Continue(())
    }

    /// Called after [`Observer::judged`], to show the figures. `best` says whether it is the best so far.
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

impl fmt::Debug for Observers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observers({})", self.0.len())
    }
}

impl Observers<'_> {
    /// Asks all of them, also after one of them stops the run; the first that stops it says how.
    fn all<B>(&mut self, mut ask: impl FnMut(&mut dyn Observer) -> ControlFlow<B>) -> ControlFlow<B> {
        let mut flow = ControlFlow::Continue(());
        for observer in &mut self.0 {
            let answer = ask(*observer);
            if flow.is_continue() {
                flow = answer;
            }
        }
        flow
    }
}

impl Observer for Observers<'_> {
    fn begin(&mut self, begin: &Begin<'_>) {
        self.0.iter_mut().for_each(|observer| observer.begin(begin));
    }

    fn step(&mut self, step: &StepReport) -> ControlFlow<Stop> {
        self.all(|observer| observer.step(step))
    }

    fn judged(&mut self, judged: &Judged<'_>) -> ControlFlow<()> {
        self.all(|observer| observer.judged(judged))
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
        fn step(&mut self, _: &StepReport) -> ControlFlow<Stop> {
            self.0 += 1;
            if self.0 == self.1 { ControlFlow::Break(Stop::Interrupt) } else { ControlFlow::Continue(()) }
        }
    }

    #[test]
    fn any_of_several_stops_the_run_and_all_see_the_step() {
        let (mut first, mut second) = (Stops(0, 2), Stops(0, 9));
        let (images, loss, accuracy, learning_rate) = (1, 1.0, 0.5, 0.1);
        let step = StepReport { epoch: 1, epochs: 1, step: 1, steps: 9, images, loss, accuracy, learning_rate };
        let mut both = Observers(vec![&mut first, &mut second]);
        assert!(both.step(&step).is_continue() && both.step(&step).is_break());
        let evaluation = Evaluation { epoch: 1, epochs: 1, images: 1, all: 2 };
        assert!(both.evaluation(&evaluation).is_continue() && !both.stops());
        assert_eq!((first.0, second.0), (2, 2));
    }
}
