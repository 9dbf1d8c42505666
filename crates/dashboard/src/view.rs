//! What a dashboard shows.

use cnn_figures::{Thinned, path, printable};
use cnn_train::{Begin, Epoch, Evaluation, Figures, Memory, Recent, StepReport};
use std::time::{Duration, Instant};

/// Points of a curve over a whole run, about, and twice as many at most: more than a terminal has columns of dots.
const POINTS: usize = 600;

/// So many of the last epochs are kept: more than a terminal shows.
const EPOCHS: usize = 100;

/// A run as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// The network, the data set and the folder.
    pub(crate) title: String,
    pub(crate) step: Option<StepReport>,
    /// How far the evaluation under way is.
    pub(crate) judging: Option<Evaluation>,
    /// Loss and accuracy over the last steps, and their speed.
    pub(crate) figures: Option<Figures>,
    /// The last ones.
    pub(crate) epochs: Vec<Epoch>,
    /// The epoch with the highest accuracy.
    pub(crate) best: Option<usize>,
    /// Over epochs, the middle of the first at 0.5.
    pub(crate) train: Curves,
    pub(crate) test: Curves,
    /// Since the run began.
    pub(crate) elapsed: Duration,
    pub(crate) memory: Memory,
    /// The last log lines.
    pub(crate) log: Vec<String>,
    /// Whether the run has been asked to stop.
    pub(crate) stopping: bool,
    recent: Recent,
    started: Option<Instant>,
    /// Steps that this process took.
    taken: usize,
}

/// Loss and accuracy in per cent over epochs.
#[derive(Clone, Debug)]
pub(crate) struct Curves {
    pub(crate) loss: Thinned<(f64, f64)>,
    pub(crate) accuracy: Thinned<(f64, f64)>,
}

impl Default for Curves {
    fn default() -> Self {
        Self { loss: Thinned::new(2 * POINTS), accuracy: Thinned::new(2 * POINTS) }
    }
}

impl View {
    pub(crate) fn begin(&mut self, begin: &Begin<'_>) {
        let task = begin.task;
        let title = format!("{} on {}", task.network.name(), task.dataset.name());
        self.title = printable(&title).into_owned();
        if let Some(folder) = begin.folder {
            self.title += &format!(" · {}", path(folder));
        }
        self.started = Some(Instant::now());
    }

    pub(crate) fn step(&mut self, step: &StepReport) {
        (self.step, self.judging) = (Some(*step), None);
        self.recent.add(step);
        self.taken += 1;
        let every = step.all().div_ceil(POINTS).max(1);
        if step.step.is_multiple_of(every) || step.step == step.steps {
            let at = step.epoch as f64 - 1.0 + step.step as f64 / step.steps.max(1) as f64;
            if let Some(figures) = self.recent.take() {
                self.train.add(at, figures.loss, figures.accuracy);
                self.figures = Some(figures);
            }
        }
    }

    pub(crate) fn evaluation(&mut self, evaluation: &Evaluation) {
        self.judging = Some(*evaluation);
    }

    pub(crate) fn epoch(&mut self, epoch: &Epoch, best: bool) {
        self.judging = None;
        if best {
            self.best = Some(epoch.epoch);
        }
        let surplus = (self.epochs.len() + 1).saturating_sub(EPOCHS);
        self.epochs.drain(..surplus);
        self.epochs.push(epoch.clone());
        self.test.add(epoch.epoch as f64, epoch.test_loss, epoch.test_accuracy);
    }

    /// Brings what passes by itself up to date.
    pub(crate) fn refresh(&mut self, log: Vec<String>) {
        self.elapsed = self.started.map_or(Duration::ZERO, |started| started.elapsed());
        self.memory = Memory::now();
        self.log = log;
    }

    /// Seconds until the end, if the steps to come take as long as those taken.
    pub(crate) fn left(&self) -> Option<f64> {
        let step = self.step?;
        let to_come = step.all().saturating_sub(step.done());
        (self.taken > 0).then(|| self.elapsed.as_secs_f64() * to_come as f64 / self.taken as f64)
    }
}

impl Curves {
    /// Adds a point at this epoch. NaN cannot be drawn.
    fn add(&mut self, epoch: f64, loss: f64, accuracy: f64) {
        for (curve, value) in [(&mut self.loss, loss), (&mut self.accuracy, 100.0 * accuracy)] {
            if value.is_finite() {
                curve.add((epoch, value));
            }
        }
    }
}
